//! Names and texts of people, clients and work: several scripts, since real firms have them.

/// Names of consultants.
pub(super) const PEOPLE: &[&str] = &[
    "Zoë Müller",
    "Amara Okafor",
    "Jan Novák",
    "佐藤 健",
    "María José Núñez",
    "Oleksandra Шевченко",
    "Liam O'Brien",
    "Fatima Zahra",
    "Søren Ærø",
    "Priya Raghunathan",
    "Łukasz Żak",
    "Chloé Dubois",
    "Mehmet Yılmaz",
    "Noor van Dijk",
    "Ana Štefanović",
    "Grace Kim",
    "Paolo D'Amico",
    "Ingrid Þórsdóttir",
    "Tomás Ó Sé",
    "Hélène Grosjean",
];

/// Names of clients.
pub(super) const CLIENTS: &[&str] = &[
    "Harbour Authority",
    "Brücke & Söhne",
    "Kitano Optics",
    "Northwind Grain",
    "Atelier Lumière",
    "Vltava Energy",
    "Andes Rail",
    "Fjord Shipping",
    "Sakura Foods",
    "Prairie Health",
    "Delta Waterworks",
    "Meridian Bank",
];

/// Names of projects.
pub(super) const PROJECTS: &[&str] = &["Rollout", "Migration", "Audit", "Platform", "Training"];

/// Codes and names of tasks.
pub(super) const TASKS: &[(&str, &str)] = &[
    ("BUILD", "Build"),
    ("PLAN", "Planning"),
    ("SUPPORT", "Support"),
];

/// What people write.
pub(super) const NARRATIVES: &[&str] = &[
    "Workshop with the client",
    "Review of the plan",
    "Fixed the import of orders",
    "Prepared the hand-over",
    "Call about open points",
    "Tests of the interface",
    "Übergabe vorbereitet",
    "打ち合わせ",
    "Analysis of the data; \"draft 2\"",
    "Travel & set-up <site>",
];

/// Kinds of work in the tracker and the service item each stands for.
pub(super) const ACTIVITIES: &[(&str, &str)] = &[
    ("consulting", "CONS"),
    ("development", "DEV"),
    ("review", "CONS"),
    ("training", "TRAIN"),
];

/// Service items.
pub(super) const SERVICE_ITEMS: &[(&str, &str)] = &[
    ("CONS", "Consulting"),
    ("DEV", "Development"),
    ("TRAIN", "Training"),
];

/// Roles, from the cheapest.
pub(super) const ROLES: &[&str] = &["junior", "consultant", "senior", "principal"];

/// Hours as people enter them, in hundredths.
pub(super) const HUNDREDTHS: &[i64] = &[
    17, 25, 33, 50, 67, 75, 100, 133, 150, 167, 200, 233, 250, 300, 350, 400, 425, 500, 600, 799,
];
