//! The command line of `ms ext`.

use crate::support::Place;

#[test]
fn help_names_every_command() {
    let place = Place::new();
    let help = place.ms("", ["ext", "--help"]).good();
    for verb in ["list", "info", "check", "new", "build", "install"] {
        assert!(help.contains(&format!("ms ext {verb} ")), "{verb}");
        assert_eq!(place.ms("", ["ext", verb, "--help"]).good(), help, "{verb}");
    }
    assert!(place.ms("", ["--help"]).good().contains("ms ext --help"));
}

#[test]
fn a_wrong_command_line_ends_with_2() {
    let place = Place::new();
    for (args, what) in [
        (&["ext"][..], "ext needs one of: list, info, check, new, build, install"),
        (&["ext", "lits"], "no command 'ext lits'"),
        (&["ext", "info"], "ext info needs a NAME or FILE"),
        (&["ext", "new", "geo"], "ext new needs --rust or --c"),
        (&["ext", "new", "geo", "--rust", "--c"], "--rust and --c exclude each other"),
        (&["ext", "list", "--user"], "invalid option '--user'"),
        (&["--ext-path"], "missing argument for option '--ext-path'"),
    ] {
        let ran = place.ms("", args);
        assert_eq!((ran.status, ran.stdout.as_str()), (Some(2), ""), "{args:?}");
        assert!(ran.stderr.starts_with(&format!("ms: {what}")), "{args:?}: {}", ran.stderr);
        let help = if args[0] == "ext" { "try 'ms ext --help'\n" } else { "try 'ms --help'\n" };
        assert!(ran.stderr.ends_with(help), "{args:?}: {}", ran.stderr);
    }
}
