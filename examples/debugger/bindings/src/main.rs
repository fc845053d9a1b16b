//! Writes the JavaScript and the WebAssembly file that the page loads:
//!
//! ```sh
//! cargo run -p debugger-bindings -- FILE.wasm FOLDER
//! ```
//!
//! It is what the command `wasm-bindgen --target web` does, without the servers that `wasm-bindgen-cli` brings for tests; and
//! its version is in the lock file, next to that of the crate `wasm-bindgen`, which must be the same.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let (Some(file), Some(folder), None) = (arguments.next(), arguments.next(), arguments.next()) else {
        eprintln!("error: the arguments are a file of WebAssembly and a folder");
        return ExitCode::FAILURE;
    };
    let mut bindings = wasm_bindgen_cli_support::Bindgen::new();
    bindings.input_path(file).typescript(false).remove_name_section(true).remove_producers_section(true);
    match bindings.web(true).and_then(|bindings| bindings.generate(folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
