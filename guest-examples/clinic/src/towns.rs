//! Where there are clinics. More than fit on a screen: the kit makes pages of them.

/// All of them, the largest first.
pub fn all() -> impl Iterator<Item = &'static str> {
    [
        "Nairobi",
        "Johannesburg",
        "Durban",
        "Mombasa",
        "Kisumu",
        "Nakuru",
        "Pretoria",
        "Pietermaritzburg",
        "Eldoret",
        "Thika",
        "Malindi",
        "Garissa",
        "Kitale",
        "Newcastle",
        "Ladysmith",
        "Richards Bay",
        "Ulundi",
        "Lamu",
    ]
    .into_iter()
}
