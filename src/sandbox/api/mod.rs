//! The emulated services, each written from the "emulator" section of its contract.

pub mod cyclecloud;
pub mod gongji;
pub mod pai_dlc;
pub mod paracloud;
