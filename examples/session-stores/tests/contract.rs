//! Checks each store with countersign's contract.

mod util;

use countersign_session::contract;
use util::Place;

each_store!(it_keeps_the_contract_also_beside_other_content);

async fn it_keeps_the_contract_also_beside_other_content(place: Place) {
    let store = place.open().await;
    let report = contract::check(&store).await.unwrap();
    println!("{report}");
    assert!(report.entries().all(|(_, count)| count > 1));
    contract::check(&store).await.unwrap();
}
