//! Faults of the wire, against our own scripted server: what each becomes, and how often the server was asked.

mod bench;
mod exchange;
mod faults;
mod files;
mod proxy;
mod tls;
