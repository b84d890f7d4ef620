use super::line::LINE_BYTES_MAX;
use super::*;
use crate::environment::platform::{Libc, Machine, Target};

fn linux(python: (u8, u8)) -> Platform {
    Platform { python, target: Target::Linux { machine: Machine::X86_64, libc: Libc::Glibc { major: 2, minor: 36 } } }
}

fn text(input: &str) -> String {
    Requirements::parse(input).unwrap().to_string()
}

fn problem(input: &str) -> String {
    Requirements::parse(input).unwrap_err().to_string()
}

#[test]
fn names_that_end_in_punctuation_are_refused() {
    for line in ["gi.+x", "a_", "a-==1", "a.>=1", "a[b.]", "a [b, c_]", "a[b- c]", "a[b.", "a[x]; python_version < '3'"]
    {
        let refused = Requirements::parse(line).is_err();
        assert_eq!(refused, !line.contains(';'), "{line}");
    }
}

#[test]
fn equal_requirements_have_one_text() {
    let messy = "\u{feff}# a comment\n\nRequests [Security,socks] >=2.31 , <3  # why\nPy_YAML\nnumpy ; python_version<'3.13'\npy.yaml\n\
                 Zope.Interface (>=5)\ncolor#ama\\\n==1\n"
        .replace("color#ama", "colorama");
    let canonical = "colorama==1\nnumpy ; python_version < \"3.13\"\npy-yaml\nrequests[security,socks]<3,>=2.31\n\
                     zope-interface>=5\n";
    assert_eq!(text(&messy), canonical);
    assert_eq!(text(&messy.replace('\n', "\r\n").replace("\\\r\n", "\\\n")), canonical);
    assert_eq!(text(canonical), canonical);
    assert_eq!(Requirements::from_list(canonical.lines()).unwrap().to_string(), canonical);
    assert!(Requirements::parse("\n# nothing\n").unwrap().is_empty());
}

#[test]
fn comments_and_continued_lines_are_read_as_pip_reads_them() {
    assert_eq!(text("numpy\\\n>=2\\\n,<3\n"), "numpy<3,>=2\n");
    assert_eq!(text("numpy \\\n# not this\nscipy"), "numpy\nscipy\n");
    assert_eq!(text("# ends in a backslash \\\nscipy"), "scipy\n");
    assert_eq!(text("numpy\\"), "numpy\n");
    assert!(problem("numpy#2").contains("'#' has no place"));
}

#[test]
fn options_are_refused_by_name() {
    for (line, option, advice) in [
        ("-e .", "-e", "put the code into the project"),
        ("-e.", "-e", "put the code into the project"),
        ("--editable=/srv", "--editable", "put the code into the project"),
        ("-r /etc/passwd", "-r", "write the lines"),
        ("-r/etc/passwd", "-r", "write the lines"),
        ("--requirement=/etc/passwd", "--requirement", "write the lines"),
        ("-c limits.txt", "-c", "name<2"),
        ("--trusted-host evil.example", "--trusted-host", "the settings"),
        ("--index-url file:///etc", "--index-url", "the settings"),
        ("-i /etc", "-i", "the settings"),
        ("--extra-index-url=/etc", "--extra-index-url", "the settings"),
        ("--index-url https://evil.example --pre", "--index-url", "the settings"),
        ("--find-links /tmp", "--find-links", "the settings"),
        ("--hash=sha256:00", "--hash", "name==1.0"),
        ("numpy==2 --hashes=sha256:00", "--hashes", "remove it"),
        ("numpy --config-settings=x", "--config-settings", "remove it"),
        ("numpy ; os_name == 'posix' --global-option=x", "--global-option", "remove it"),
        ("--pre", "--pre", "2.0rc1"),
        ("-", "-", "remove it"),
        ("-é", "-é", "remove it"),
    ] {
        let problem = problem(line);
        assert!(problem.contains(&format!("the option {option} is not accepted: ")), "{line}: {problem}");
        assert!(problem.contains(advice), "{line}: {problem}");
    }
}

#[test]
fn hashes_are_read_as_pip_reads_them() {
    let [one, two] = ["a", "B"].map(|digit| digit.repeat(64));
    let written = format!(
        "numpy==2 ; os_name=='posix' \\\n    --hash=sha256:{two} \\\n    --hash sha256:{one} # why\nrich==1 --hash=sha512:{one}{one}"
    );
    let list = Requirements::parse(&written).unwrap();
    let canonical = format!(
        "numpy==2 ; os_name == \"posix\" --hash=sha256:{one} --hash=sha256:{}\nrich==1 --hash=sha512:{one}{one}\n",
        two.to_lowercase()
    );
    assert_eq!(list.to_string(), canonical);
    assert_eq!(Requirements::parse(&canonical).unwrap(), list);
    let hashes = list.hashes(&linux((3, 13)));
    assert_eq!((hashes.len(), hashes["numpy"].len()), (2, 2));
    for line in ["numpy", "numpy>=2", "numpy==2.*", "numpy==2,!=3"] {
        assert!(problem(&format!("{line} --hash=sha256:{one}")).contains("as in name==1.0"), "{line}");
    }
    for hash in ["sha256:00", "md5:00", "", &format!("sha256:{}", "x".repeat(64)), &one] {
        assert!(problem(&format!("numpy==2 --hash={hash}")).contains("is no hash"), "{hash}");
    }
    assert!(problem(&format!("numpy==2 --hash=sha256:{one} --pre")).contains("the option --pre"));
}

#[test]
fn addresses_are_kept_apart() {
    for line in [
        "https://example.com/x-1.0-py3-none-any.whl",
        "name @ https://example.com/x.whl",
        "name[extra]@git+ssh://git@example.com/x.git@v1",
        "git+https://example.com/x#egg=name",
        "name @ https://example.com/x.zip ; python_version < '4'",
        "--index-url https://example.com/simple",
        "-i https://example.com/simple",
        "--extra-index-url=https://example.com",
        "--find-links http://example.com/wheels",
    ] {
        let list = Requirements::parse(&format!("numpy\n{line} # why\n")).unwrap();
        assert_eq!(list.to_string(), format!("{line}\nnumpy\n"));
        assert_eq!((list.direct().collect::<Vec<_>>(), list.names(&linux((3, 13)))), (vec![line], vec!["numpy"]));
        let more = list.clone().merge(["rich"]).unwrap().and(&["tabulate"]).unwrap();
        assert_eq!(more.to_string(), format!("{line}\nnumpy\nrich\ntabulate\n"));
        assert!(!Requirements::parse(line).unwrap().is_empty());
        assert!(refused_direct(line).contains(if line.starts_with('-') { "the settings" } else { "URLs are not" }));
    }
}

#[test]
fn an_address_that_would_swallow_the_next_line_is_refused() {
    assert!(problem("git+https://example.com/x\\ # why\nnumpy").contains("URLs are not accepted"));
    assert_eq!(text("git+https://example.com/x # why \\\nnumpy"), "git+https://example.com/x\n");
}

#[test]
fn urls_and_paths_are_refused() {
    for line in [
        "https:///etc/passwd",
        "name @ file:///etc/passwd",
        "name @ ../x",
        "git+file:/srv/x",
        "file:x.whl",
        "FILE:/etc/passwd",
    ] {
        assert!(problem(line).contains("URLs are not accepted"), "{line}: {}", problem(line));
    }
    for line in [
        ".",
        "./x",
        "../x",
        "/etc/passwd",
        "~/x",
        "x/y",
        "C:\\x",
        "x.whl",
        "X-1.0-py3-none-any.WHL",
        "x.tar.gz",
        "x.zip[extra]",
        "requirements.txt",
        "setup.py",
    ] {
        assert!(problem(line).contains("paths are not accepted"), "{line}: {}", problem(line));
    }
}

#[test]
fn what_is_no_requirement_is_refused_with_its_line() {
    for line in [
        "numpy scipy",
        "numpy==",
        "numpy=>1",
        "==1",
        "numpy[",
        "numpy[a",
        "numpy]",
        "numpy==1.x",
        "nümpy",
        "numpy\0",
        "numpy\u{1b}[31m",
        "${HOME}",
        "$(id)",
        "`id`",
        "numpy;",
        "numpy; extra == 'x'",
        "numpy | sh",
        "numpy>=1 <2",
        "a,b",
        "\"numpy\"",
        "numpy==99999999999999999999999",
    ] {
        let problem = problem(&format!("\n\n{line}\n"));
        assert!(problem.starts_with("requirements, line 3 ("), "{line}: {problem}");
        assert!(!problem.contains('\u{1b}') && !problem.contains('\0'), "{problem:?}");
        assert!(problem.len() < 600, "{problem}");
    }
    assert!(Requirements::from_list(["numpy\n-e ."]).is_err());
}

#[test]
fn lists_are_bounded() {
    let lines = |count: usize| (0..count).map(|n| format!("p{n}\n")).collect::<String>();
    assert!(Requirements::parse(&lines(LINES_MAX)).is_ok());
    assert!(problem(&lines(LINES_MAX + 1)).contains("500 lines"));
    assert!(problem(&"\n".repeat(LINES_MAX + 1)).contains("500 lines"));
    assert!(problem(&"#".repeat(BYTES_MAX + 1)).contains("bytes"));
    assert!(problem(&"x".repeat(LINE_BYTES_MAX + 1)).contains("2000 bytes"));
    assert!(problem(&"x\\\n".repeat(LINES_MAX + 1)).contains("bytes"));
    let many: Vec<_> = (0..=LINES_MAX).map(|n| format!("p{n}")).collect();
    assert!(Requirements::from_list(many.iter().map(String::as_str)).is_err());
    assert!(Requirements::default().merge(many.iter().map(String::as_str)).is_err());
}

#[test]
fn a_name_in_the_list_wins_over_a_detected_one() {
    let list = Requirements::parse("PyYAML<6\nnumpy ; python_version < '3'").unwrap();
    let merged = list.merge(["pyyaml", "numpy", "Rich"]).unwrap();
    assert_eq!(merged.to_string(), "numpy ; python_version < \"3\"\npyyaml<6\nrich\n");
    assert_eq!(merged.names(&linux((3, 13))), ["pyyaml", "rich"]);
    assert!(Requirements::default().merge(["-e ."]).is_err());
}

#[test]
fn packages_with_the_same_modules_are_not_both_installed() {
    let merged = |list: &str, names: &[&str]| {
        Requirements::parse(list).unwrap().merge(names.iter().copied()).unwrap().to_string()
    };
    for (list, names, both) in [
        ("", &["opencv-python-headless"][..], "opencv-python-headless\n"),
        ("opencv-python==4.9.0.80", &["opencv-python-headless"], "opencv-python-headless==4.9.0.80\n"),
        ("opencv-python-headless", &["opencv-python-headless"], "opencv-python-headless\n"),
        ("OpenCV_Contrib_Python", &["opencv-python-headless"], "opencv-contrib-python-headless\n"),
        ("opencv-python>4\nopencv-python-headless", &[], "opencv-python-headless\nopencv-python-headless>4\n"),
        (
            "opencv-python\nopencv-contrib-python<5",
            &[],
            "opencv-contrib-python-headless\nopencv-contrib-python-headless<5\n",
        ),
        ("psycopg2", &["psycopg2-binary", "psycopg2"], "psycopg2\n"),
        ("scikit-learn", &["scikit-learn", "numpy"], "numpy\nscikit-learn\n"),
        ("", &["setuptools"], "setuptools<82\n"),
        ("setuptools>=70", &["setuptools"], "setuptools>=70\n"),
    ] {
        assert_eq!(merged(list, names), both, "{list:?} {names:?}");
    }
    let more = Requirements::parse("opencv-contrib-python").unwrap().and(&["opencv-python"]).unwrap();
    assert_eq!(more.to_string(), "opencv-contrib-python-headless\n");
}

#[test]
fn only_what_applies_is_handed_on() {
    let list =
        Requirements::parse("tomli ; python_version < '3.11'\nnumpy\nnumpy ; os_name == 'posix'\nnumpy>1").unwrap();
    assert_eq!(list.on(&linux((3, 13))), ["numpy", "numpy>1"]);
    assert_eq!(list.on(&linux((3, 10))), ["numpy", "numpy>1", "tomli"]);
    assert_eq!(list.names(&linux((3, 10))), ["numpy", "tomli"]);
}

#[test]
fn installed_versions_satisfy_what_allows_them() {
    let version_of = |name: &str| (name == "numpy").then_some("2.1.0");
    for (list, satisfied) in [
        ("", true),
        ("numpy", true),
        ("numpy>=2,<3", true),
        ("numpy==2.1.*", true),
        ("numpy<2", false),
        ("numpy[extra]", false),
        ("scipy", false),
        ("scipy ; python_version < '3'", true),
    ] {
        let list = Requirements::parse(list).unwrap();
        assert_eq!(list.are_satisfied_by(&linux((3, 13)), version_of), satisfied, "{list}");
        assert_eq!(list.without(&linux((3, 13)), version_of).is_empty(), satisfied, "{list}");
    }
}
