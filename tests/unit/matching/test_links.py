"""URLs come to one normal form, as a browser reads them."""

import ipaddress
from urllib.parse import quote

import ada_url
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kinward.matching import links, spelled
from kinward.matching.kinds import Url
from kinward.matching.pages import Pages, has_many_parts


@pytest.mark.parametrize(
    "written",
    [
        "http://example.org/a/b",
        "HTTPS://WWW.EXAMPLE.ORG:443/a/b/",
        "example.org./a//b#part",
        "http://user:word@example.org/%61/b",
        " example.org/a/b ",
        "http:\\\\example.org\\a\\b",
        "http:/example.org/a/b",
        "http:example.org/a/b",
        "http:///example.org/a/b",
        "//example.org/a/b",
        "\\\\example.org\\a\\b",
        "ht\ntp://exam\tple.org/a/\rb",
        "http://example%2Eorg/a/x/../b",
        "http://example.org/a/%2e/b",
        "wss://example.org:443/a/b",
        "https://example.org:80/a/b",
        "http://EXA\u00adMPLE\u3002org/a/b",
        "me:word@example.org/a/b",
        "hxxp://example[.]org/a/b",
        "hXXps[:]//example(dot)org/a/b",
        "h**p://example.org/a/b",
    ],
)
def test_a_page_has_one_normal_form(written: str) -> None:
    assert links.normal_form(written) == "example.org/a/b"


UNSEEN = ["\u200b", "\ufeff", "\u2060", "\u00ad", "\u200d", "\u202e", "\u3164", "\U000e0041"]
AS_SEEN = [
    *(f"{unseen}http://example.org/a/b" for unseen in UNSEEN),
    *(f"ht{unseen}tp://example.org/a/b" for unseen in UNSEEN),
    *(f"http{unseen}://example.org/a/b" for unseen in UNSEEN),
    *(f"http:{unseen}//example.org/a/b" for unseen in UNSEEN),
    *(f"http:/{unseen}/example.org/a/b" for unseen in UNSEEN),
    *(f"http://{unseen}example.org/a/b" for unseen in UNSEEN),
    *(f"http://exam{unseen}ple.org/a/b" for unseen in UNSEEN),
    *(f"{unseen}exam{unseen}ple.org/a/b" for unseen in UNSEEN),
    *(f"{unseen}hxxp://exa{unseen}mple[.]org/a/b" for unseen in UNSEEN),
    '"http://example.org/a/b"',
    "'example.org/a/b'",
    "(http://example.org/a/b)",
    "<http://example.org/a/b>",
    '("<http://example.org/a/b>").',
    "“http://example.org/a/b”,",
    "«\u00a0http://example.org/a/b\u00a0»",
    "[http://example.org/a/b]",
    "(http://example.org/a/b",
    "\u200b<\u200bhttp://example.org/a/b\u200b>\u200b",
    "http://http://example.org/a/b",
    "http://https://example.org/a/b",
    "https://http//example.org/a/b",
    "http:http://example.org/a/b",
    "http://http:/example.org/a/b",
    "HTTP://hxxps://http://example[.]org/a/b",
]


@pytest.mark.parametrize("written", AS_SEEN, ids=ascii)
def test_what_a_person_would_open_is_read(written: str) -> None:
    assert links.normal_form(written) == "example.org/a/b"


@pytest.mark.parametrize(
    "written",
    [
        *("†http://example.org/", "see:http://example.org/", "†http:/example.org/", "x://y"),
        *('"x.example" http://example.org/', '"x.example"http://example.org/'),
        *("http://me@http://example.org/", "x.example†https://example.org", "(((", '""', "\u200b"),
        *("view-source:http://example.org/", "ma\u200bilto:me@example.org", "http://\u200b/"),
    ],
    ids=ascii,
)
def test_what_nobody_can_read_is_no_other_page(written: str) -> None:
    with pytest.raises(ValueError, match=r"URL"):
        links.normal_form(written)


@pytest.mark.parametrize(
    "written",
    [
        *("https://files.example/#!abc", "files.example#abc", "http://files.example//?#abc"),
        *(
            "https://files.example/app#!/abc",
            "https://files.example/app?a=1#/abc",
            "x.example/#%21a",
        ),
    ],
)
def test_a_list_may_not_name_a_site_by_the_fragment_of_a_page(written: str) -> None:
    with pytest.raises(ValueError, match="whole site"):
        Url().parse(written)
    assert Url().ask(written), "but it may be looked up"


@pytest.mark.parametrize("written", ["x.example/a#part", "x.example/?a=1#part", "x.example/#"])
def test_a_fragment_beside_a_page_is_left_out_of_a_list(written: str) -> None:
    assert Url().parse(written).decode() == links.normal_form(written)


def test_joiners_stay_in_a_name_that_needs_them() -> None:
    name = "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc.example"
    assert links.normal_form(name) == links.normal_form(f"http://{name}/")
    assert links.normal_form(name) != links.normal_form(name.replace("\u200c", ""))


@pytest.mark.parametrize("text", ["\u200b" * 2000, "(" * 2000, "http:" * 400, "http://" * 290])
def test_a_hostile_spelling_is_read_in_bounded_steps(text: str) -> None:
    assert forms_or_none(text) is not None


@pytest.mark.parametrize(
    ("listed", "covers", "leaves"),
    [
        ("example.org", ["http://example.org/x?y", "https://a.b.example.org"], ["anexample.org"]),
        ("example.org", ["http://example.org:8443/", "example.org:8443/x"], []),
        ("example.org", ["wss://example.org/"], ["http://example.org@other.example/"]),
        ("example.org", ["http://example.org\\@other.example/"], ["mailto:me@example.org"]),
        ("example.org", ["http://" + "a." * 30 + "example.org:1/?" + "&".join("abcdefghijk")], []),
        ("example.org:8443", ["http://example.org:8443/x"], ["http://example.org/x"]),
        ("http://[2001:db8::1]:8443/", ["http://[2001:DB8:0::1]:8443/x"], ["http://[2001:db8::1]"]),
        ("example.org/a", ["example.org/a", "x.example.org/a/b?c"], ["example.org/ab"]),
        ("example.org/a?b=1", ["example.org/a?b=1"], ["example.org/a", "example.org/a?b=2"]),
        ("example.org/w?v=abc", ["http://example.org/w?t=1&v=abc"], ["example.org/w?v=abcd"]),
        ("example.org/w?v=a&t=1", ["example.org/w?t=1&x&v=a"], ["example.org/w?t=1"]),
        ("example.org/w?v=a+b", ["example.org/w?v=a%20b", "example.org/w?%76=a+b&v="], []),
        ("192.0.2.7", ["http://192.0.2.7:80/x", "http://3221225991/"], ["1.192.0.2.7.example"]),
        ("192.0.2.7", ["http://0xC0000207/", "http://0300.0.02.07./"], ["http://192.0.2.77/"]),
        ("192.0.2.7", ["http://[::ffff:192.0.2.7]/", "http://[64:ff9b::c000:207]:81/"], []),
        ("münchen.example", ["http://xn--mnchen-3ya.example/"], []),
    ],
)
def test_a_listed_url_covers_what_is_below_it(
    listed: str, covers: list[str], leaves: list[str]
) -> None:
    normal = links.normal_form(listed)
    assert [each for each in covers if normal not in links.forms(each)] == []
    assert [each for each in leaves if normal in forms_or_none(each)] == []


def forms_or_none(url: str) -> list[str]:
    try:
        return links.forms(url)
    except ValueError:
        return []


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "a b", "mailto:me@example.org", "javascript:alert(1)", "gopher://example.org/"),
        *("data:text/plain,x", "file:///etc/passwd", "http://", "http://exa mple.org/", "tel:123"),
        *("http://example.org/" + "a" * links.MAX_URL, "blob:http://x.example/1", "http://[1::2"),
    ],
)
def test_what_is_no_page_is_a_reason_and_no_form(written: str) -> None:
    with pytest.raises(ValueError, match=r"URL"):
        links.normal_form(written)


@pytest.mark.parametrize("place", ["example.org/{}", "example.org/w?v={}", "example.org/w?{}=1"])
def test_bytes_that_are_no_utf_8_are_themselves(place: str) -> None:
    written = ["%E9", "%E8", "%83V%83%83", "%83W%83%83", "%EF%BF%BD", "%C3%A9", "%FF%FE"]
    normals = [links.normal_form(place.format(one)) for one in written]
    assert len({*normals}) == len(written)
    for one, normal in zip(written, normals, strict=True):
        covered = [other for other in written if normal in links.forms(place.format(other))]
        assert covered == [one]
    assert links.normal_form(place.format("é")) == normals[written.index("%C3%A9")]


def parts_of(form: str) -> set[str]:
    return {part for part in form.partition("?")[2].split("&") if part}


PART = st.text("abc=%+", min_size=1, max_size=4)


@given(st.lists(PART, min_size=1, max_size=12), st.sets(st.integers(0, 11)), st.lists(PART))
@settings(deadline=None)
def test_no_part_that_is_added_to_a_query_hides_a_banked_one(
    asked: list[str], chosen: set[int], others: list[str]
) -> None:
    listed = [part for at, part in enumerate(asked) if at in chosen]
    url = links.normal_form(f"http://example.org/w?{'&'.join(listed)}")
    beside = links.normal_form(f"http://example.org/w?{'&'.join([*listed, *others])}")
    pages = Pages()
    pages.add(1, url)
    pages.add(2, beside)
    forms = links.forms(f"http://a.example.org:81/w?{'&'.join(reversed(asked))}&x=1")
    many = [form for form in forms if has_many_parts(form)]
    found = {number for form in many for number in pages.find(form)}
    assert url in forms or 1 in found
    whole = links.normal_form(f"http://example.org/w?{'&'.join(asked)}&x=1")
    assert (beside in forms or 2 in found) == (parts_of(beside) <= parts_of(whole))
    for number in (1, 2, 2):
        pages.remove(number)
    assert not len(pages)
    assert not any(pages.find(form) for form in forms)


def test_what_an_earlier_version_banked_is_still_found() -> None:
    assert "example.org/w?b=2&a=1" in links.forms("http://example.org/w?b=2&a=1")
    assert "[::ffff:c000:207]/a" in links.forms("http://[::ffff:192.0.2.7]/a")


REDIRECTS = [
    "https://r.example/to?url=https%3A%2F%2Fexample.org%2Fa",
    "https://r.example/to?x=1&u=http:/example.org/a/b&y=2",
    "https://r.example/l?u=https%3A%2F%2Fs.example%2F%3Fq%3Dhttp%253A%252F%252Fexample.org%252Fa",
    "https://r.example/web/2026/http://example.org/a/b",
    "https://r.example/#//example.org/a",
    "https://r.example/?https:\\\\example.org\\a",
    "https://r.example/?q=www.example.org/a",
    "https://r.example/to?url=https%253A%252F%252Fexample.org%252Fa",
    "https://r.example/to?url=https%25253A%25252F%25252Fexample.org%25252Fa",
    "https://r.example/to?url=%22http://example.org/a%22",
    "https://r.example/web/http%253A%252F%252Fexample.org/a",
    "https://r.example/to?" + "&".join(f"p{n}=1" for n in range(30)) + "&u=http://example.org/a",
]


@pytest.mark.parametrize("url", REDIRECTS)
def test_a_redirector_is_what_it_leads_to_only_if_asked(url: str) -> None:
    assert "example.org/a" not in links.forms(url)
    assert "example.org/a" in links.forms(url, inside=True)
    value = Url().ask(url)
    assert b"example.org/a" in Url().carried(value)
    assert set(Url().exact(value)) == {form.encode() for form in links.forms(url)}


def test_a_part_after_the_twentieth_and_a_deep_path_are_compared() -> None:
    many = "&".join(f"p{number}=1" for number in range(30))
    url = f"https://example.org/w?{many}&v=abc"
    assert "example.org/w?v=abc" in links.forms(url)
    assert links.normal_form(f"https://example.org/w?v=abc&{many}") in links.forms(url)
    first = sorted(f"p{number}=1" for number in range(20))
    assert f"example.org/w?{'&'.join(first)}" in links.forms(url), "an earlier version's"
    deep = "example.org/" + "/".join(f"s{number}" for number in range(30))
    assert deep in links.forms(f"http://{deep}/more/still?x=1")
    assert links.entire(url)
    assert links.entire(f"http://{deep}/more", inside=True)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/w?" + "&".join(f"p{number}=1" for number in range(41)),
        "https://example.org" + "/s" * 41,
        "https://" + "a." * 10 + "example.org",
    ],
)
def test_what_is_cut_is_not_entire(url: str) -> None:
    assert not links.entire(url)
    assert links.normal_form(url) in links.forms(url)


def test_a_redirector_that_is_not_decoded_to_its_end_is_not_entire() -> None:
    inner = "http://example.org/"
    for _ in range(links.MAX_CODED + 2):
        inner = quote(inner, safe="")
    many = "&".join(f"u{n}=http://e{n}.example" for n in range(links.MAX_INSIDE + 1))
    for url in (f"https://r.example/?u={inner}", f"https://r.example/?{many}"):
        assert not links.entire(url, inside=True)
        assert links.entire(url), "nobody asked for what it carries"


def test_the_forms_of_one_url_are_bounded() -> None:
    query = "&".join(f"{one}={one}" for one in "abcdefghijklmnopqrstuvwxyz")
    url = f"http://{'a.' * 40}example:81/{'b/' * 60}?{query}"
    assert len(links.forms(url)) < 2_000
    nested = "http://a.example/"
    for number in range(12):
        nested = f"http://{number}.example/?u={quote(nested, safe='')}"[: links.MAX_URL]
    assert len(links.forms(nested, inside=True)) < 2_000


PIECES = st.sampled_from(
    [
        *(
            "http",
            "https:",
            "HTTP:",
            "ws:",
            "ftp:",
            "//",
            "/",
            "\\",
            "\\\\",
            ":",
            "@",
            "?",
            "#",
            "&",
        ),
        *(
            "example",
            "EXAMPLE",
            ".",
            "..",
            "%2e",
            "%2F",
            "%5c",
            "%00",
            "%e2%82%ac",
            "%",
            "\t",
            "\n",
        ),
        *("80", "443", "8443", ":0", "65536", "0x7f", "0177.1", "[", "]", "[::1]", "[.]", "(dot)"),
        *("[::ffff:1.2.3.4]", "\u00fc", "\u00df", "\uff45", "\u3002", "\u00ad", "xn--", "a", "b=1"),
        *("xn--mnchen-3ya", "|", "^", "*", "~", "+", " ", "=", "%20", "www.", "hxxp", "localhost"),
    ]
)
URLS = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=12).map("".join),
    st.lists(PIECES, max_size=10).map(lambda pieces: "http://example.org" + "".join(pieces)),
    st.lists(PIECES, max_size=8).map(lambda pieces: "https://" + "".join(pieces)),
)


@settings(max_examples=1500, deadline=None)
@given(URLS)
@example("http:\\\\example.org")
@example("/(0")
@example("0/.%2F0")
@example("HTTP:HTTP:0")
@example("0@(0")
@example("https://example.org:80")
def test_what_the_standard_reads_is_what_is_compared(text: str) -> None:
    """The host, and nothing else, is that of the standard's parser. A reading is stable."""
    try:
        standard = ada_url.URL(text)
    except ValueError:
        standard = None
    if standard is not None and ("(dot)" in standard.hostname or ".." in standard.hostname):
        return  # that is a host to the standard, and none to the net
    if standard is not None and standard.hostname.startswith(links._MARKS):
        return  # no name is so, and without its scheme it is in a bracket
    if standard is not None and spelled.is_twice(
        text, standard.hostname, standard.port, standard.pathname
    ):
        return  # a browser opens the host `http`, and a person means what follows
    try:
        normal = links.normal_form(text)
    except ValueError:
        page = standard is not None and standard.protocol in links.SCHEMES
        host = standard.hostname.rstrip(".").removeprefix("www.") if standard else ""
        assert not page or not host or len(text) > links.MAX_URL
        return
    assert normal in links.forms(text)
    assert links.normal_form(normal) in links.forms(text)
    again = links.normal_form(normal)
    assert links.normal_form(again) == again
    if standard is not None and standard.protocol in links.SCHEMES:
        host = standard.hostname.rstrip(".")
        while host.startswith("www."):
            host = host.removeprefix("www.")
        if host.startswith("["):
            six = ipaddress.IPv6Address(host[1:-1])
            host = str(six.ipv4_mapped or host)
        assert normal.startswith(host)
        assert normal[len(host) : len(host) + 1] in ("", "/", "?", ":")
        assert set(links.forms(standard.href)) == set(links.forms(text))
