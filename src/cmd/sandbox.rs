pub async fn run(_app: &crate::app::App, _args: crate::cli::SandboxArgs) -> crate::Result<u8> { Ok(0) }
