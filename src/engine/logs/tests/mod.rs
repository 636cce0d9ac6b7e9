//! A writer of numbered lines, followed through the real readers: each line comes out once, and in order. And what
//! happens to logs that cannot be read, through made-up readers.

mod bench;
mod fakes;
mod following;
mod frame;
mod gongji;
mod history;
mod pai_dlc;
