//! Embeds `config/catalogue/*.yaml`, so that a new file there is no code.

use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("config/catalogue");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yaml") {
            files.push(path);
        }
    }
    // The order of the files decides between equals; it must not depend on the file system.
    files.sort();
    let mut code = String::from("const FILES: &[(&str, &str)] = &[\n");
    for path in files {
        let name = path.file_name().expect("an entry of a folder has a name").to_string_lossy().into_owned();
        code += &format!("    ({name:?}, include_str!({:?})),\n", path.to_string_lossy());
    }
    code += "];\n";
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("catalogue.rs"), code)
}
