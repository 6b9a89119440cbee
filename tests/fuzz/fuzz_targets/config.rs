//! Any text as a configuration: nothing panics, what is refused says why, and what is said can be shown.
#![no_main]

use std::path::Path;

use consentry::config::{self, CertificateFiles};
use libfuzzer_sys::fuzz_target;

const NOW: i64 = 1_795_305_600;

fuzz_target!(|text: &str| {
    // A folder that does not exist, so that no text reaches a file of this machine by a relative path.
    let folder = Path::new("/nonexistent/folder");
    let problems = match config::parse(text, "fuzz.yaml", folder, NOW, CertificateFiles::Skip) {
        Ok((config, warnings)) => {
            assert!(!config.sites.is_empty(), "a configuration without a site was accepted");
            assert!(!warnings.iter().any(config::Problem::is_error));
            warnings
        }
        Err(problems) => {
            assert!(problems.iter().any(config::Problem::is_error), "refused without a reason");
            problems
        }
    };
    for problem in problems {
        assert!(!problem.render(false).is_empty());
        assert!(!problem.to_string().contains('\n'), "a short problem is one line: {problem}");
    }
});
