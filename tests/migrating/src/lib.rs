//! The code of the manual page on migrating. `before` is for the crate that the module is named after, `after` for this one.
//! A test compares both with the page.

pub mod josekit_0_10 {
    pub mod after;
    pub mod before;
}

pub mod jsonwebtoken_12 {
    pub mod after;
    pub mod before;
}

pub mod jwt_simple_0_15 {
    pub mod after;
    pub mod before;
}
