"""Words from outside are no markup."""

import pytest

from mtgan.markup import latex, markdown


@pytest.mark.parametrize(
    ("text", "source"),
    [
        (
            "a_b {c} 5% #1 & $x$ ~",
            r"a\_b \{c\} 5\% \#1 \& \$x\$ \textasciitilde{}",
        ),
        ("[b] * `c` | <d>", r"{[}b{]} {*} \textasciigrave{}c\textasciigrave{} \textbar{} $<$d$>$"),
        ("a\\b", r"a\textbackslash{}b"),
        ("a-b--c---d", "a-b-{}-c-{}-{}-d"),
        ("two\nlines", "two lines"),
    ],
)
def test_latex(text: str, source: str) -> None:
    assert latex(text) == source


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("ac_wgan 4.05 [3.9, 4.2] <0.01 R&D - + 1.", "ac_wgan 4.05 [3.9, 4.2] <0.01 R&D - + 1."),
        ("*b* _i_ ~s~ `c` $x$ a|b", r"\*b\* \_i\_ \~s\~ \`c\` \$x\$ a\|b"),
        ("<b> </b> <!-- [a](b) [a][b] &amp;", r"\<b> \</b> \<!-- \[a](b) \[a][b] \&amp;"),
        ("# head", r"\# head"),
        ("> quote", r"\> quote"),
        ("a\\b", r"a\\b"),
        ("two\nlines\x1b", r"two lines\\x1b"),
    ],
)
def test_markdown(text: str, source: str) -> None:
    assert markdown(text) == source
