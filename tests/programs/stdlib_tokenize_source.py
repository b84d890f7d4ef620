import io
import keyword
import token
import tokenize

SRC = '''def f(x):  # comment
    """doc"""
    if x >= 0x1F and not f"{x:>{3}} end":
        return x ** 2.5e-3, b'\\x00'
    é = ...
'''
for tok in tokenize.generate_tokens(io.StringIO(SRC).readline):
    print(f"{tok.start[0]},{tok.start[1]}-{tok.end[0]},{tok.end[1]}\t{token.tok_name[tok.exact_type]:18}{tok.string!r}")

toks = [(t.type, t.string) for t in tokenize.generate_tokens(io.StringIO("x  =   [1,2 ]\n").readline)]
print(repr(tokenize.untokenize(toks)))
full = list(tokenize.generate_tokens(io.StringIO(SRC).readline))
print(tokenize.untokenize(full) == SRC)
print(tokenize.detect_encoding(io.BytesIO(b"# -*- coding: latin-1 -*-\n").readline))
print(next(tokenize.tokenize(io.BytesIO(b"\xef\xbb\xbfx").readline)).string)


def decimalize(src):
    out = []
    for t in tokenize.generate_tokens(io.StringIO(src).readline):
        if t.type == token.NUMBER and "." in t.string:
            out.extend([(token.NAME, "Decimal"), (token.OP, "("), (token.STRING, repr(t.string)), (token.OP, ")")])
        else:
            out.append((t.type, t.string))
    return tokenize.untokenize(out)


print(decimalize("print(1.1 + 2.2 * n)"))
for bad in ("(1, 2", "'open", "  x\n y", "\"\"\"never"):
    try:
        list(tokenize.generate_tokens(io.StringIO(bad).readline))
        print("ok")
    except (tokenize.TokenError, SyntaxError) as e:
        print(type(e).__name__, e.args[0])
print(keyword.iskeyword("match"), keyword.issoftkeyword("match"), len(keyword.kwlist), keyword.softkwlist)
