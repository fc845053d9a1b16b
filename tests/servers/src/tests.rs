//! The manual page shows what `./run` uses.

const PAGE: &str = include_str!("../../../src/manual/servers.md");

/// Everything in which a server reads its settings.
const SETTINGS: [&str; 12] = [
    include_str!("../config/docker-registry.yml"),
    include_str!("../config/dovecot-oauth2.conf.ext"),
    include_str!("../config/dovecot.conf"),
    include_str!("../config/ejabberd.yml"),
    include_str!("../config/haproxy.cfg"),
    include_str!("../config/influxdb.conf"),
    include_str!("../config/mod_auth_openidc.conf"),
    include_str!("../config/mod_oauth2.conf"),
    include_str!("../config/rabbitmq.conf"),
    include_str!("../config/slurm.conf"),
    include_str!("../config/synapse.yaml"),
    include_str!("../run"),
];

/// Returns the blocks of the page that are code, or those that are text.
fn blocks(language: &str) -> impl Iterator<Item = &'static str> {
    PAGE.split("```")
        .skip(1)
        .step_by(2)
        .filter_map(move |block| block.strip_prefix(language)?.strip_prefix('\n'))
}

#[test]
fn the_page_shows_all_recipes_and_no_others() {
    let here = include_str!("recipes.rs").replace("pub(crate) ", "");
    let mut shown = 0;
    for block in blocks("") {
        let code: Vec<_> = block.lines().filter(|line| *line != "#" && !line.starts_with("# ")).collect();
        for part in code.join("\n").trim().split("\n\n").filter(|part| !part.starts_with("use ")) {
            assert!(here.contains(part), "{part}");
            shown += part.matches("fn ").count();
        }
    }
    assert_eq!(shown, here.matches("\nfn ").count());
}

#[test]
fn the_page_shows_settings_of_the_servers() {
    let mut shown = 0;
    for line in blocks("text").flat_map(str::lines) {
        assert!(SETTINGS.iter().any(|file| file.lines().any(|other| other.trim() == line.trim())), "{line}");
        shown += 1;
    }
    assert!(shown > 30, "{shown}");
}
