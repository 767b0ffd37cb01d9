//! A fresh PostgreSQL database for one test, when a server is named in
//! `COUNTERFOIL_TEST_POSTGRES_URL`.

use tokio_postgres::{Config, NoTls};

/// A database that is dropped with this value.
pub(crate) struct Fresh {
    server: Config,
    name: String,
    /// How to reach it.
    pub(crate) url: String,
}

fn on_server(server: &Config, text: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let (client, connection) = server.connect(NoTls).await.unwrap();
        let driver = tokio::spawn(connection);
        client.batch_execute(text).await.unwrap();
        drop(client);
        driver.await.unwrap().unwrap();
    });
}

impl Fresh {
    /// `None` when no server is named: the test then shows nothing, and says so.
    pub(crate) fn database(test: &str) -> Option<Self> {
        #[expect(
            clippy::disallowed_methods,
            reason = "tests are told of the server like this"
        )]
        let url = std::env::var("COUNTERFOIL_TEST_POSTGRES_URL")
            .ok()
            .filter(|url| !url.is_empty());
        let Some(server) = url.map(|url| url.parse::<Config>().unwrap()) else {
            println!("{test}: skipped, COUNTERFOIL_TEST_POSTGRES_URL names no server");
            return None;
        };
        let name = format!("counterfoil_{test}_{}", std::process::id());
        let text = format!("CREATE DATABASE {name}");
        let text_server = server.clone();
        std::thread::spawn(move || on_server(&text_server, &text))
            .join()
            .unwrap();
        let host = match server.get_hosts().first().unwrap() {
            tokio_postgres::config::Host::Tcp(host) => host.clone(),
            tokio_postgres::config::Host::Unix(path) => path.display().to_string(),
        };
        let port = server.get_ports().first().copied().unwrap_or(5432);
        let user = server.get_user().unwrap_or("postgres");
        let password = server.get_password().map_or(String::new(), |secret| {
            format!(
                " password='{}'",
                String::from_utf8_lossy(secret).replace('\'', "\\'")
            )
        });
        let url = format!("host={host} port={port} user={user}{password} dbname={name}");
        Some(Self { server, name, url })
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let (server, text) = (
            self.server.clone(),
            format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name),
        );
        // A runtime may not be started inside a runtime; a failure leaves a database behind.
        let _left_behind = std::thread::spawn(move || on_server(&server, &text)).join();
    }
}
