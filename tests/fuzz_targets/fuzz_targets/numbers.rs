#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| miniscript_tests::targets::must("numbers", data));
