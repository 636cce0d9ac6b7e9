//! A writer of numbered lines, followed through the real readers: each line comes out once, and in order.

mod fakes;
mod gongji;
mod pai_dlc;
