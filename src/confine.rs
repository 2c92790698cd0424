//! The process gives up what it never needs: from the first line on it can start no program and open no connection, whatever a
//! file under judgement makes it do. The kernel holds it to that (seccomp); where there is no such kernel the code alone does.

/// Confines this process and all its threads for good. Returns whether the kernel has agreed.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64")))]
pub fn confine() -> bool {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

    // Pairs of sockets that lead nowhere are how terminals are watched.
    const REFUSED: &[libc::c_long] = &[
        libc::SYS_socket,
        libc::SYS_connect,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept,
        libc::SYS_accept4,
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_io_uring_setup,
    ];
    let rules = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let Ok(architecture) = std::env::consts::ARCH.try_into() else { return false };
    let refusal = SeccompAction::Errno(libc::EPERM as u32);
    let program = SeccompFilter::new(rules, SeccompAction::Allow, refusal, architecture);
    let program = program.and_then(BpfProgram::try_from);
    program.is_ok_and(|program| seccompiler::apply_filter_all_threads(&program).is_ok())
}

/// There is nothing that holds the process but its own code.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "riscv64"))))]
pub fn confine() -> bool {
    false
}
