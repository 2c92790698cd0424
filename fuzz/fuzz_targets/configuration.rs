#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| gate_fuzz::run("configuration", input));
