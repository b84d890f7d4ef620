"""Compiling a varied set of regular expressions with the cache emptied each round."""

import re

ROUNDS = 65

PATTERNS = [
    # literals and alternations
    r"Perl|Python|Ruby|Lua|Tcl",
    r"(?:Perl|Python|Ruby)(?:\s+(?:script|module))?",
    r"(foo|bar|baz)+(?:qux)?(foo|bar)*",
    r"\b(?:if|else|elif|for|while|def|class|return|yield|import|from|with|as)\b",
    r"(?i:select|insert|update|delete)\s+(?:from|into)?\s*(\w+)",
    # numbers
    r"[-+]?\d+",
    r"[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?",
    r"0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+",
    r"(?:\d{1,3}\.){3}\d{1,3}",
    r"(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?:25[0-5]|2[0-4]\d|1?\d?\d)){3}",
    # dates and times
    r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)",
    r"(?P<y>\d{4})-(?P<m>0[1-9]|1[0-2])-(?P<d>[0-2]\d|3[01])[T ]"
    r"(?P<H>[01]\d|2[0-3]):(?P<M>[0-5]\d)(?::(?P<S>[0-5]\d)(?P<f>\.\d{1,9})?)?"
    r"(?P<tz>Z|[+-]\d\d:?\d\d)?",
    r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) "
    r"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4}) (\d\d):(\d\d):(\d\d) GMT",
    # addresses and paths
    r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
    r"(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$",
    r"^(?:(?P<scheme>[a-z][a-z0-9+.-]*):)?(?://(?P<host>[^/?#]*))?(?P<path>[^?#]*)"
    r"(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?$",
    r"(?:/[\w.-]+)+/?(?:\.(?:py|rs|c|h|txt))?$",
    r"[a-fA-F0-9]{8}-(?:[a-fA-F0-9]{4}-){3}[a-fA-F0-9]{12}",
    # markup
    r"<(?P<tag>[a-zA-Z][\w:-]*)(?P<attrs>(?:\s+[\w:-]+(?:\s*=\s*(?:\"[^\"]*\"|'[^']*'|[^\s>]+))?)*)\s*/?>",
    r"</\s*([a-zA-Z][\w:-]*)\s*>",
    r"<!--(?:(?!-->).)*-->",
    r"&(?:#(?:x[0-9a-fA-F]+|\d+)|[a-zA-Z]\w*);",
    r"(?s)<script[^>]*>.*?</script>",
    r"^(?P<fence>`{3,}|~{3,})[ \t]*(?P<lang>\w*)[^\n]*\n(?P<body>(?:.*\n)*?)(?P=fence)",
    # strings and comments
    r'"(?:[^"\\\n]|\\.)*"',
    r"'''(?:[^'\\]|\\.|'(?!''))*'''",
    r"[rRbBuUfF]{0,2}(?:\"[^\"\\]*(?:\\.[^\"\\]*)*\"|'[^'\\]*(?:\\.[^'\\]*)*')",
    r"/\*(?:[^*]|\*(?!/))*\*/|//[^\n]*",
    r"#[^\r\n]*",
    # look-around and back-references
    r"(?<=\$)\d+(?:\.\d\d)?(?!\d)",
    r"(?<!\\)(?:\\\\)*\$\{([^{}]+)\}",
    r"\b(\w+)\s+\1\b",
    r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)(?=.*[^\w\s]).{8,64}$",
    r"(\()?[^()]+(?(1)\))",
    # classes and unicode
    r"[\u0400-\u04ff]+|[\u3040-\u30ff]+|[\u4e00-\u9fff]+",
    r"[^\W\d_]+(?:[-'][^\W\d_]+)*",
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]",
    r"[.,;:!?\"'()\[\]{}<>/\\|@#$%^&*_+=~`-]+",
    r"(?i)[a-z\u00e0-\u00ff]+(?:stra\u00dfe|weg|platz)",
    # repetition
    r"(?:a{2,5}b{0,3}?c+?){3,7}",
    r"(?:(?:x+)y*)*z",
    r"a++b*+(?>c|cd)e?+",
    r".*?,.*?,.*?,(.*?),.*",
    r"^\s*(?:(\w+)\s*=\s*)?(\w+)\s*\((.*)\)\s*;?\s*$",
]

VERBOSE = r"""
    (?P<indent> ^[ \t]* )
    (?P<name>   [A-Za-z_]\w* ) \s*
    (?P<op>     [-+*/%&|^]?= | := | -> ) \s*
    (?P<value>
        (?P<number> [-+]?\d[\d_]*(?:\.\d+)?(?:e[-+]?\d+)? )
      | (?P<string> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
      | (?P<call>   \w+ \s* \( [^()]* \) )
    )
    \s* (?P<comment> \#.* )? $
"""


def bench() -> object:
    groups = names = 0
    for _ in range(ROUNDS):
        re.purge()
        for pattern in PATTERNS:
            compiled = re.compile(pattern)
            groups += compiled.groups
            names += len(compiled.groupindex)
        for flags in (re.X | re.M, re.X | re.M | re.I, re.X | re.A):
            compiled = re.compile(VERBOSE, flags)
            groups += compiled.groups
            names += len(compiled.groupindex)
    re.purge()
    return groups, names


if __name__ == "__main__":
    print(bench())
