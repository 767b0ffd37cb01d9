//! Bytes that came back from disk: blocks, sealed texts, manifests of backups and database files may
//! be damaged or forged, and are then refused, never believed and never the end of the process.

use fuzz::{Finding, Fuzz, Seen};
use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use crate::body::{Body, Event, Fact, Leaf};
use crate::seal::{DataKey, Pointer, Vault};
use crate::support::{item, options, run};
use crate::{SealClass, SealKey, Store, audit, backup, items};

fn here(target: &'static str) -> Fuzz {
    Fuzz::new(target, env!("CARGO_MANIFEST_DIR"))
}

fn body() -> Body {
    Body {
        leaves: vec![Leaf {
            kind: 3,
            key: vec![7; 16],
            version: 1,
            actor: Arc::from("system"),
            why: Cow::Borrowed("priced"),
            digest: [9; 32],
        }],
        events: vec![Event {
            topic: "posting.posted".into(),
            subject: vec![1],
            body: b"{}".to_vec(),
        }],
        counts: vec![("billed".to_owned(), -3)],
        facts: vec![Fact {
            unit: Arc::from("unit"),
            content: [1; 32],
            sealed: vec![5; 40],
        }],
    }
}

#[test]
fn fuzz_block_body() -> Result<(), Finding> {
    // A length of 2^63 in the way numbers are written.
    let long = b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f".as_slice();
    here("block_body")
        .seed(body().encode())
        .seed(Body::default().encode())
        .words([long, b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x00"])
        .run(|bytes| {
            let Some(body) = Body::decode(bytes) else {
                return Ok(Seen::refused(&"no body"));
            };
            if Body::decode(&body.encode()).as_ref() != Some(&body) {
                return Err("a body changed when written and read again".to_owned());
            }
            let shape = [
                body.leaves.len(),
                body.events.len(),
                body.counts.len(),
                body.facts.len(),
            ];
            Ok(Seen::read(format!("{:?}", shape.map(|n| n.min(4))), &body))
        })
}

#[test]
fn fuzz_sealed_text() -> Result<(), Finding> {
    let vault = Vault::new(SealKey::new([7; 32]), [3; 32], &[5; 32]).unwrap();
    let key = DataKey::new([4; 32]);
    let at = Pointer::new(1, 2, 0).unwrap();
    let texts: [&[u8]; 2] = [b"short", &[b'x'; 400]];
    let sealed = texts.map(|text| vault.seal(&key, "unit", at, text, &mut None).unwrap());
    here("sealed_text")
        .seeds(sealed.clone())
        .costly(4)
        .run(move |bytes| {
            let opened = vault.open(&key, "unit", at, bytes);
            if opened.is_ok() && !sealed.iter().any(|whole| whole == bytes) {
                return Err("a changed text opens".to_owned());
            }
            // Nobody without the key can come this far; should somebody, memory stays bounded.
            let forged = vault
                .seal_packed(&key, "unit", at, bytes)
                .map_err(|error| error.to_string())?;
            let opened_forged = vault.open(&key, "unit", at, &forged).map(|text| text.len());
            Ok(Seen::of(opened).and(&Seen::of(opened_forged)))
        })
}

#[test]
fn fuzz_backup_manifest() -> Result<(), Finding> {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("copy.db");
    let file = folder.path().join("copy.db.manifest.json");
    here("backup_manifest")
        .seed(
            r#"{"format":1,"ledger_digest":"00","taken_at_us":1788220800000000,
            "file_sha256":"ab","writers":[{"writer_no":1,"seq":7,"head":"cd"}]}"#,
        )
        .run(move |bytes| {
            std::fs::write(&file, bytes).map_err(|error| error.to_string())?;
            Ok(Seen::of(backup::manifest(&place)))
        })
}

/// A small ledger as the bytes of its file.
fn ledger(path: &Path) -> Vec<u8> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open_sqlite(path, options("a")).unwrap();
        run(&store, |tx| {
            let content = tx.seal(SealClass::Received, "w-17", b"{}")?;
            items::insert(tx, &[item(1, content)], "seen")
        })
        .await
        .unwrap();
        backup::backup(&store, path.with_extension("copy"))
            .await
            .unwrap();
    });
    std::fs::read(path.with_extension("copy")).unwrap()
}

#[test]
fn fuzz_ledger_file() -> Result<(), Finding> {
    let folder = tempfile::tempdir().unwrap();
    let whole = ledger(&folder.path().join("ledger.db"));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let path = folder.path().join("damaged.db");
    // An input is where and what: every other byte of the file stays.
    here("ledger_file")
        .seeds([
            "18 01",
            "100 00000000",
            "4096 ff",
            "40000 0d0a",
            "28 7fffffff",
        ])
        .costly(40)
        .run(move |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let Some((at, with)) = text.split_once(' ') else {
                return Ok(Seen::refused(&"no damage"));
            };
            let with = data_encoding::HEXLOWER_PERMISSIVE.decode(with.as_bytes());
            let (Ok(at), Ok(with)) = (at.parse::<usize>(), with) else {
                return Ok(Seen::refused(&"no damage"));
            };
            let mut file = whole.clone();
            let at = at % file.len();
            for (to, from) in file.iter_mut().skip(at).zip(with) {
                *to = from;
            }
            for end in ["-wal", "-shm"] {
                let _absent = std::fs::remove_file(format!("{}{end}", path.display()));
            }
            std::fs::write(&path, &file).map_err(|error| error.to_string())?;
            let report = runtime.block_on(audit::verify_file(&path, options("b")));
            let store = Store::open_read_only(&path, options("c"));
            let rows = store.map(|store| {
                runtime
                    .block_on(store.read(|tx| items::page(tx, &[0; 16], 10)))
                    .map_err(|error| error.to_string())
            });
            let problems = report.problems.len();
            Ok(Seen::read(format!("{} problems", problems.min(9)), &problems).and(&Seen::of(rows)))
        })
}
