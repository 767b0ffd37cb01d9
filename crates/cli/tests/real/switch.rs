//! The switch that ends the process in tests must not be in what is shipped.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};

const SWITCH: &str = "COUNTERFOIL_CRASH_AT";
/// How a process ends that the switch ends.
const ABORTED: i32 = 6;

/// What the switch needs of the product, so that the compiler takes the one file in a second.
const PIPELINE: &str = r#"
pub mod crash {
    #[derive(Clone, Copy, PartialEq, Eq)]
    pub enum CrashPoint { Told }
    impl CrashPoint {
        pub fn from_name(name: &str) -> Option<Self> {
            (name == "told").then_some(Self::Told)
        }
        pub fn name(self) -> &'static str { "told" }
    }
    #[derive(Debug)]
    pub struct Crashed;
    pub trait Crashes: Send + Sync {
        fn pass(&self, point: CrashPoint) -> Result<(), Crashed>;
    }
    pub struct NoCrashes;
    impl Crashes for NoCrashes {
        fn pass(&self, _: CrashPoint) -> Result<(), Crashed> {
            Ok(())
        }
    }
}
"#;

fn product() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn compile(folder: &Path, file: &str, words: &[&str]) {
    let output = Command::new("rustc")
        .current_dir(folder)
        .args(["--edition", "2024", "-L", "."])
        .args(words)
        .arg(file)
        .output()
        .expect("the compiler starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}

/// A program that holds the product's switch and passes a point, compiled with debug assertions on
/// or off: how it ends under the switch, and whether it holds the switch's name.
fn compiled(folder: &Path, debug_assertions: &str) -> (ExitStatus, bool) {
    let program = format!("with-{debug_assertions}");
    let assertions = format!("debug-assertions={debug_assertions}");
    let words = ["-C", &assertions, "--extern", "pipeline", "-o", &program];
    compile(folder, "program.rs", &words);
    let path = folder.join(&program);
    let mut run = Command::new(&path);
    run.env(SWITCH, "told:1").current_dir(folder);
    let output = run.output().expect("the program starts");
    let bytes = fs::read(&path).expect("the program is readable");
    let holds = bytes
        .windows(SWITCH.len())
        .any(|part| part == SWITCH.as_bytes());
    (output.status, holds)
}

#[test]
fn the_switch_works_with_debug_assertions_and_is_not_there_without() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("pipeline.rs"), PIPELINE).expect("a file");
    let switch = product().join("crash.rs");
    let program = format!(
        "#[path = {switch:?}]\nmod crash;\nfn main() {{\n    \
         let passed = crash::crashes().pass(pipeline::crash::CrashPoint::Told);\n    \
         assert!(passed.is_ok());\n}}\n"
    );
    fs::write(folder.path().join("program.rs"), program).expect("a file");
    compile(folder.path(), "pipeline.rs", &["--crate-type", "rlib"]);
    let (end, holds) = compiled(folder.path(), "on");
    assert_eq!((end.signal(), holds), (Some(ABORTED), true));
    let (end, holds) = compiled(folder.path(), "off");
    assert_eq!((end.code(), holds), (Some(0), false));
}

/// No other file of the program knows the switch.
#[test]
fn one_file_knows_the_switch() {
    let mut folders = vec![product()];
    let mut holders = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if fs::read_to_string(&path)
                .unwrap_or_default()
                .contains(SWITCH)
            {
                holders.push(path);
            }
        }
    }
    assert_eq!(holders, [product().join("crash.rs")]);
}

/// What is shipped is built without debug assertions.
#[test]
fn the_release_profile_has_no_debug_assertions() {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let text = fs::read_to_string(workspace).unwrap();
    let manifest: toml::Table = text.parse().unwrap();
    let release = manifest["profile"]["release"].as_table().unwrap();
    // Off is what cargo takes where nothing is said, also for a package of its own.
    for word in ["debug-assertions", "package", "inherits"] {
        assert!(!release.contains_key(word), "[profile.release] says {word}");
    }
}
