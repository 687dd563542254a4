//! Bad guests, bad input, faults: each gets its clear error and limit, and everybody else goes on.
