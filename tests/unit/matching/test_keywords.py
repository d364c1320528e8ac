"""A keyword is found however it is written, and not where it is not written."""

# ruff: noqa: RUF001  # letters that look alike are what this is about

from collections import Counter

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kinward.matching import keywords
from kinward.matching.disguise import Matcher
from kinward.matching.glyphs import glyph
from kinward.matching.kinds import Keyword
from kinward.matching.letters import Shape, Skeleton
from kinward.matching.oddities import odd_regions
from tests.support import ordinary
from tests.support.evasions import WORDS, evasions
from tests.support.words_before import KeywordsBefore, normal_form_before

EVASIONS = 2_000
FOUND = 0.97
LINES = 1_500  # of ordinary text, in each language


def found(keyword: str, text: str) -> bool:
    search = keywords.Keywords([(1, Keyword().parse(keyword).decode())])
    numbers, entire = search.find(text)
    assert entire
    return numbers == {1}


KNOWN = {
    "sea shell": (
        *("sea shell", "SEA  SHELL", "ｓｅａ ｓｈｅｌｌ", "sеа ѕhell", "5ea sh3ll", "s.e.a-shell"),
        *("sé\u200ba s\u0301hell", "she sells sea-shell(s)", "s e a   s h e l l", "sea🌊shell"),
        *("#SeaShell", "#MySeaShellDay", "seashell", "sea_shell", "SeaShell", "S.E.A. 5hell"),
    ),
    "seashells": (
        *("find seashells!", "seashells$", "@seashells", "$eashells", "5eashells", "seashell$!!"),
        *("se@shells", "s3ash3ll5", "5345h3115", "seasheIIs", "seasheLls", "seashells2024"),
        *("s e a s h e l l s", "I s e a s h e l l s", "S.E.A.S.H.E.L.L.S", "s*e*a*s*h*e*l*l*s"),
        *("sea*shells", "sea**shells**", "~~sea~~shells", "sea🌊shells", "sea\u3164shells"),
        *("<b>s</b>ea<i>shells</i>", "[b]sea[/b]shells", "sea<!-- x -->shells", "&#115;eashells"),
        *("sea&shy;shells", "\u202esllehsaes\u202c", "s\u0337e\u0336ashells", "𝓼𝓮𝓪shells"),
        *("ѕеаѕhеllѕ", "🆂🅴🅰🆂🅷🅴🅻🅻🆂", "🇸🇪🇦🇸🇭🇪🇱🇱🇸", "ⓢⓔⓐⓢⓗⓔⓛⓛⓢ", "⒮⒠⒜⒮⒣⒠⒧⒧⒮", "ꜱᴇᴀꜱʜᴇʟʟꜱ"),
        *(
            "seeeaaashells",
            "seashellsss",
            "sseeaasshheellllss",
            "sea\U000e0073shells",
            "s3*ash#lls seashells",
        ),
    ),
    "driftwood": (
        *("dr1ftw00d", "driiiftwoood", "driftvvood", "DЯIFTЩOOD", "ᗪᖇIᖴTᗯOOᗪ", "dri**ft**wood"),
        *("dr!ftw00d", "drift\u200bwood", "hello\u200bdriftwood", "海driftwood海", "driftwøød"),
    ),
    "kite": (
        *(
            "k*te",
            "k_te",
            "k#te",
            "k?te",
            "k●te",
            "k🪁te",
            "K*TE",
            "a k*te, and more",
            "kıte",
            "KITE",
        ),
        *(
            "\u202eetik\u202c",
            "\u2067\u202eetik\u202c\u2069",
            "\u202e\u202eetik",
            "ki\u202eet\u202c",
        ),
        *(
            "\u2067\u2066te\u2069\u2066ki\u2069\u2069",
            "a \u202eetik",
            '<bdo dir="rtl">etik</bdo> a',
        ),
        *("\u202e\u2066ki\u202ete\u202c", "ǝʇıʞ", "ǝʇᴉʞ ɐ", "ɘƚiʞ", "\u202dkite"),
    ),
    "sea kite": ("sea k*te", "my sea k_te!", "ǝʇıʞ ɐǝs"),
    "kelpnet": ("кelpnet", "kelpn3t", "k.e.l.p.n.e.t", "(kelpnet)", "“kelpnet”", "kelpnet’s"),
    "island": ("!sland", "|sland", "1sland", "is|and", "isl@nd", "island|"),
    "ocean": ("0cean", "oce4n", "(o)(c)(e)(a)(n)", "o\nc\ne\na\nn", "o  c  e  a  n"),
    "leet": ("l33t",),
    "cat": ("c4t", "c@t", "CAT", "ca\u00adt", "c*a*t", "c a t"),
    "c4t": ("c4t", "C4T!", "ｃ４ｔ"),
    "B.A.T.": ("bat", "B.A.T.", "b a t"),
    "ebb": ("ebb", "the ebb.", "ebbbb", "EBB"),
    "god": ("gooood",),
    "über": ("uber", "ÜBER", "u\u0308ber"),
    "œuvre": ("oeuvre", "Œuvre"),
    "мама": ("моя мама", "МАМА"),
    "москва": ("Москва и ещё", "м*о*с*к*в*а"),
    "東京": ("東京タワー", "東*京"),
}
CLEAR = {
    "sea shell": ("shell of the sea", "sea and shell", "seashells are here"),
    "kite": (
        *(
            "k**e",
            "*ite",
            "kit*",
            "k-te",
            "k.te",
            "k'te",
            "k*t",
            "k * te",
        ),
        *(
            "\u2067etik\u2069",
            "\u200fetik",
            "etik",
            "k%(t)e",
            "a.example/k?te=1",
            "\u202e\u2066etik\u2069",
        ),
    ),
    "driftwood": ("drift wood", "drift-wood", "driftwoods", "xXdriftwoodXx"),
    "shell": (
        *("shellfish and nutshell", "she'll", "s h e l l f i s h", "s*h*e*l*l*f*i*s*h"),
        *("s*ell*ish", "sh*llf*sh", "#shellfish", "#Nutshell", "nut\u00adshell"),
    ),
    "ebb": ("E. B. B. King", "E.B.B. King", "E B B King", "room 3bb", "w e b b y", "eb", "3BB"),
    "c4t": ("my cat", "my c@t"),
    "cat": ("c.a.t. scan", "C. A. Taylor", "ca7", "4cat7s"),
    "bee": ("row b33", "seat 8ee"),
    "modellname": ("%(model_name)r",),
    "leet": ("1337",),
    "l33t": ("leet",),
    "taxi": ("pay the tax!", "tax! Now"),
    "usa": ("u.s.a.", "U. S. A. Miller"),
    "tom": ("fr.o.m. t.o.m.", "70m"),
    "god": ("good", "go d"),
    "coral": ("corral", "cor-al"),
    "zomer": ("zoommeer",),
    "cold": ("(old books)",),
    "snow": ("shares of $NOW",),
    "phone": ("iPhone",),
    "lets": ("Iets anders",),
    "url": ("two URIs", "URI's"),
    "views": ("view(s)", "view/s"),
    "leser": ("Lese*r", "Lese_r", "Lese:r"),
    "todas": ("tod@s", "tod@"),
    "sélectionnées": ("sélectionné·e·s",),
    "sans": ("5ans",),
    "laden": ("14den",),
    "pages": ("page5",),
    "xvi": ("XXXVI", "XVIII"),
    "for": ("før",),
    "werden": ("wer den",),
    "den": ("wer\u00adden",),
    "mat": ("а мат и ещё жизнь",),
    "email": ("e-mail", "E-Mail-Adresse"),
    "pcn": ("我用PC几个",),
}


@pytest.mark.parametrize(
    ("keyword", "text"), [(word, text) for word, texts in KNOWN.items() for text in texts]
)
def test_a_keyword_is_found_however_it_is_written(keyword: str, text: str) -> None:
    assert found(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"), [(word, text) for word, texts in CLEAR.items() for text in texts]
)
def test_a_word_that_is_another_is_no_keyword(keyword: str, text: str) -> None:
    assert not found(keyword, text)


IN_OTHER_SCRIPTS = {
    "राम": ("राम घर गया", "र\u200dाम", "राम🌊"),
    "मेला": ("यह मेला है", "मेलाा", "मे*ला"),
    "গান": ("গান", "গ\u200cান"),
    "กิน": ("ผมกินข้าว", "กิิิน", "ก่ิน"),
    "แมว": ("แ ม ว", "แ.ม.ว", "ดูแมวนี่"),
    "مدرسة": ("مـــدرســـة", "مَدْرَسَة", "ﻣﺪﺭﺳﺔ", "مدرسه", "مـ د ر سـ ة", "م*رسة"),
    "كتاب": ("کتاب", "كتاااااب", "ك.ت.ا.ب", "ك*ت*ا*ب"),
    "علي": ("علی", "على"),
    "שלום": ("שָׁלוֹם", "שלומ", "שלוווום", "ש ל ו ם", "ש*ום"),
    "ракушка": ("р а к у ш к а", "р.а.к.у.ш.к.а", "рак*шка", "ракушкаааа", "paкyшka", "р4кушка"),
    "θάλασσα": ("θ α λ α σ σ α", "ΘΆΛΑΣΣΑ", "θάλ*σσα"),
    "κόσμος": ("kόσμος", "κ0σμος", "ΚΌΣΜΟΣ", "κόσμοσ"),
    "貝殻": ("貝 殻", "貝.殻", "貝・殻", "貝🌊殻", "私は貝殻を見る"),
    "かいがら": ("か い が ら", "か。い。が。ら", "私のか いがら", "かいか\u3099ら"),
    "海辺の貝殻": ("海辺の 貝殻", "今日は海辺・の貝殻を見る", "海辺の\n貝殻"),
    "seashells": (
        "se\u0e34ashells",
        "sea\u0301\u0e38\u0e38shells",
        "s\u09403ashells",
        "seas\u3099hells",
    ),
}


@pytest.mark.parametrize(
    ("keyword", "text"),
    [(word, text) for word, texts in IN_OTHER_SCRIPTS.items() for text in texts],
)
def test_a_keyword_of_another_script_is_found_in_disguise(keyword: str, text: str) -> None:
    assert found(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        *(("राम", "रोम शहर"), ("राम", "रीमा"), ("काला", "किला"), ("मेला", "मूल"), ("दिन", "दान")),
        *(("किताब", "कतब"), ("গান", "গুন"), ("দিন", "দান"), ("பால்", "பாலை"), ("ಮನೆ", "ಮನ")),
        *(("กิน", "กัน"), ("กิน", "ผมกันข้าว"), ("ガラス", "カラスがいる"), ("ぱん", "ごはん")),
        *(
            ("がら", "東京から"),
            ("京大", "東京 大阪"),
            ("京大", "東京・大阪"),
            ("貝殻", "貝。殻を見る"),
        ),
        *(("كتاب", "كاتب"), ("כלב", "כלבים"), ("ракушка", "рокушка"), ("кот", "к*т*р")),
    ],
)
def test_another_word_of_another_script_is_no_keyword(keyword: str, text: str) -> None:
    assert not found(keyword, text)


@pytest.mark.parametrize("language", ["bn", "hi", "ru", "ta", "te", "uk"])
def test_ordinary_text_in_another_script_has_few_false_hits(language: str) -> None:
    """In Hindi a word and the same word without its dots are one, which are the hits there are."""
    texts = ordinary.messages_of_django(language)
    words = sorted({word for text in texts for word in ordinary.words_and_marks(text)})
    words = [word for word in words if len(word) > 2]
    search = keywords.Keywords(enumerate(words))
    count = false = 0
    for text in texts:
        own = ordinary.words_and_marks(text)
        count += len(own)
        false += len({words[number] for number in search.find(text).numbers} - {*own})
    assert count > 500
    assert false < count / 80


def test_a_word_of_two_letters_and_its_vowels_is_a_keyword() -> None:
    for word in ("माँ", "บิ", "মা"):
        assert found(word, word)


def test_nearly_all_of_2000_evasions_are_found() -> None:
    search = keywords.Keywords(enumerate(map(keywords.normal_form, WORDS)))
    missed = Counter[str]()
    for evasion in evasions(EVASIONS):
        if WORDS.index(evasion.keyword) not in search.find(evasion.text).numbers:
            missed[evasion.way] += 1
    assert missed.total() <= (1 - FOUND) * EVASIONS, missed.most_common(5)


@pytest.mark.parametrize("language", ordinary.LANGUAGES)
def test_ordinary_text_has_a_tenth_of_the_false_hits_it_had(language: str) -> None:
    words = ordinary.vocabulary(language)
    keys = [keywords.normal_form(word) for word in words]
    search = keywords.Keywords(enumerate(keys))
    before = KeywordsBefore((number, normal_form_before(word)) for number, word in enumerate(words))
    false, were, seen = [], 0, 0
    for text in (*ordinary.sentences(language), *ordinary.lines(language, LINES)):
        written = ordinary.literally(text)
        numbers, entire = search.find(text)
        assert entire
        hits = {keys[number] for number in numbers}
        assert not (ordinary.words_of(text) & set(keys)) - hits, (
            f"a word as it is written is missed: {text}"
        )
        false += [(text, hit) for hit in hits - written]
        were += sum(keys[number] not in written for number in before.find(text))
        seen += ordinary.count_words(text)
    assert seen > 8_000
    # One can be right: a line of random words may disguise another, as `@bajo` does `abajo`.
    assert len(false) <= max(1, were / 10), false
    assert were, "the old search finds some"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=80))
@example("ͺ\u0345 İ ß ﬁ ㎏ \ud800")
def test_no_text_breaks_a_normal_form_or_a_search(text: str) -> None:
    normal = keywords.normal_form(text)
    assert keywords.normal_form(normal) == normal
    if len(normal) > 1:
        assert keywords.Keywords([(1, normal)]).find(text).numbers == {1}
    keywords.Keywords([(1, "sea shell"), (2, "ab")]).find(text)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(WORDS), st.text("sеа1!|*🌊<b>&#; .\u200b\u202e$ⓢ", max_size=40))
def test_a_keyword_that_stands_alone_is_found_whatever_is_around(word: str, noise: str) -> None:
    assert found(word, f"{noise} {word} {noise}") or "\u202e" in noise or "<!" in noise


HOSTILE = {
    "look-alikes": "ѕеаѕhеllѕ ",
    "one letter": "а",
    "letters apart": "s e a ",
    "letters apart of one kind": "a a a a ",
    "points": "e.a.t.",
    "digits": "5e4 5h3ll ",
    "marks": "$@!|",
    "what is not shown": "s\u200b\u0336",
    "emoji": "s🌊e",
    "markup": "<b>s</b>e",
    "half of a tag": "<b ",
    "entities": "&#115;",
    "what grows": "\ufdfa",
    "capital I": "iIl1|!",
    "CamelCase": "SeaShells",
    "two v": "vv ",
    "masked words": "se*shells ",
    "masked phrases": "se* sh*lls ",
    "backwards and again": "s\u202ee\u202aa\u2067s\u2066",
    "upside down": "ǝɐs ",
    "letters of Chinese apart": "貝 殻.",
    "letters of Chinese apart and together": "貝 殻貝",
    "vowels on nothing": "s\u0e34\u093f",
    "vowels that repeat": "\u0e01\u0e34\u0e34\u0e34",
    "letters of Cyrillic apart": "р а к ",
    "masked words of Cyrillic": "рак*шка ",
    "stretches": "م\u0640",
}


@pytest.mark.parametrize("piece", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_costs_no_more_than_its_length(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twice the text takes about twice the steps, and no more than it may."""
    words = [*ordinary.vocabulary("en"), "sea shells", "seashells", "a a a", "as", "eae"]
    search = keywords.Keywords(enumerate(map(keywords.normal_form, words)))
    taken: list[int] = []

    class Counted(Matcher):
        def fits(self, shape: Shape, skeleton: Skeleton, first: int, last: int) -> bool:
            before = self.steps
            result = super().fits(shape, skeleton, first, last)
            taken.append(self.steps - before)
            return result

    monkeypatch.setattr(keywords, "Matcher", Counted)
    steps = []
    for length in (keywords.MAX_TEXT // 4, keywords.MAX_TEXT // 2):
        taken.clear()
        assert search.find((piece * length)[:length]).entire
        steps.append(sum(taken))
    assert steps[1] <= 3 * steps[0] + 200
    assert steps[1] <= keywords.MAX_STEPS / 2


def test_a_text_that_takes_too_many_steps_is_not_said_to_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    search = keywords.Keywords([(1, "seashells")])
    text = "s3ashellsx " * 50 + "s3ashells"
    assert search.find(text) == ({1}, True)
    monkeypatch.setattr(keywords, "MAX_STEPS", 10)
    assert search.find(text) == (set(), False)
    assert 1 in search.find(f"seashells {text}").numbers


def test_without_keywords_nothing_is_found() -> None:
    assert keywords.Keywords([]).find("anything") == (set(), True)


def test_what_an_earlier_version_banked_is_still_found() -> None:
    for text in ("мама", "молоко", "sea shells"):
        banked = normal_form_before(text)
        assert keywords.Keywords([(1, banked)]).find(text).numbers == {1}, banked


def test_ordinary_text_has_no_odd_region() -> None:
    for text in (
        "Hello Marta, shall we meet at 5 pm near the harbour? I'll bring the books (both of them)!",
        "Übergrößen für Mädchen – schön, dass du da bist! „Œuvre“ um 15:30 Uhr, 20 %.",
        "Il y a déjà l’été; ¿qué tal? Ça va: 3 500 €, no 12, 24/7.",
    ):
        assert odd_regions(text, 0) == []


def test_every_character_has_a_reading() -> None:
    for point in range(0, 0x110000, 7):
        kind, letters = glyph(chr(point))
        assert (kind <= 4) == bool(letters)
