import shlex

LINES = [
    "cp -r 'my file.txt' \"other dir\"/ # comment",
    r"echo a\ b \"quoted\" 'single \n'",
    'grep "it\'s" --color=auto',
    "",
    "a;b&&c|d>e",
]
for line in LINES:
    print(shlex.split(line), shlex.split(line, comments=True), shlex.split(line, posix=False))
print(shlex.join(["ls", "-l", "some file", "it's", "", "$HOME", "plain-1.txt"]))
print(shlex.quote("rm -rf *"), shlex.quote("safe_name"), shlex.quote("don't"))
lex = shlex.shlex("x = 3*(y+1) ; name='v w'", posix=True, punctuation_chars=True)
print(list(lex))
lex = shlex.shlex("key = value # c\nother = 'two words'\n")
while True:
    tok = lex.get_token()
    if not tok:
        break
    print(lex.lineno, repr(tok))
lex = shlex.shlex("a,b,,c", posix=True)
lex.whitespace = ","
lex.whitespace_split = True
print(list(lex))
lex = shlex.shlex("one two three")
first = next(lex)
lex.push_token("pushed")
print(first, next(lex), next(lex))
for bad in ("'unclosed", 'trail\\', '"x'):
    try:
        shlex.split(bad)
    except ValueError as e:
        print("ValueError:", e)
cmd = shlex.split("deploy --env prod --tag 'v1.2 beta' -f")
opts, it = {}, iter(cmd[1:])
for word in it:
    opts[word.lstrip("-")] = next(it, True)
print(opts)
