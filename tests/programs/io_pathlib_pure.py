from pathlib import PurePath, PurePosixPath, PureWindowsPath, Path

p = PurePosixPath("/usr/local/lib/python3.14/site.tar.gz")
print(p.parts, p.name, p.stem, p.suffix, p.suffixes, p.parent, p.anchor)
print(list(map(str, p.parents)), p.is_absolute())
print(p.with_name("x.txt"), p.with_suffix(".zip"), p.with_stem("other"), p.relative_to("/usr"), p / "a" / "../b")
print(PurePosixPath("a/b").relative_to("a/c/d", walk_up=True), PurePosixPath("a//b/./c/"), PurePosixPath("."), PurePosixPath(""))
print(p.match("*.gz"), p.match("lib/*/*.gz"), p.full_match("/usr/**/*.gz"), PurePosixPath("a").joinpath("/abs", "c"))
w = PureWindowsPath(r"C:\Users\Ann\file.TXT")
print(w.drive, w.root, w.as_posix(), w.suffix, w == PureWindowsPath("c:/users/ann/FILE.txt"), w.parts, repr(w))
print(PurePosixPath("a/b") < PurePosixPath("a/c"), sorted(map(PurePosixPath, ["b", "a/z", "a"])), PurePosixPath("a") == "a")
print(PurePosixPath(".bashrc").suffix, PurePosixPath("x.").suffix, PurePosixPath("..").name, PurePosixPath("/").name)
for bad in (lambda: p.relative_to("/etc"), lambda: p.with_name(""), lambda: p.with_suffix("zip"), lambda: PurePosixPath("/").with_name("x")):
    try:
        bad()
    except ValueError as e:
        print("ValueError:", e)
print(p.is_relative_to("/usr"), Path("x").exists(), hash(PurePosixPath("a")) == hash(PurePosixPath("a")), PurePath("a", "b").as_posix())
print(Path.from_uri("file:///tmp/a%20b").name, Path("~nosuchuser").parts, p.with_segments("q", "r"))
