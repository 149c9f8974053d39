"""Languages: from the codes that files carry to BCP 47 and back, and what a person reads in a menu."""

import re

UNDETERMINED = "und"

# ISO 639-1, ISO 639-2/T, ISO 639-2/B where it differs, and the language's own name.
_TABLE = """
aa aar|ab abk|ae ave|af afr - Afrikaans|ak aka|am amh - አማርኛ|an arg|ar ara - العربية
as asm|av ava|ay aym|az aze - Azərbaycanca
ba bak|be bel - Беларуская|bg bul - Български|bi bis|bm bam|bn ben - বাংলা|bo bod tib|br bre - Brezhoneg
bs bos - Bosanski|ca cat - Català|ce che|ch cha|co cos|cr cre|cs ces cze Čeština|cu chu|cv chv|cy cym wel Cymraeg
da dan - Dansk|de deu ger Deutsch|dv div|dz dzo|ee ewe|el ell gre Ελληνικά|en eng - English|eo epo - Esperanto
es spa - Español|et est - Eesti|eu eus baq Euskara|fa fas per فارسی|ff ful|fi fin - Suomi|fj fij|fo fao
fr fra fre Français|fy fry|ga gle - Gaeilge|gd gla|gl glg - Galego|gn grn|gu guj - ગુજરાતી|gv glv|ha hau
he heb - עברית|hi hin - हिन्दी|ho hmo|hr hrv - Hrvatski|ht hat|hu hun - Magyar|hy hye arm Հայերեն|hz her|ia ina
id ind - Bahasa Indonesia|ie ile|ig ibo|ii iii|ik ipk|io ido|is isl ice Íslenska|it ita - Italiano|iu iku
ja jpn - 日本語|jv jav|ka kat geo ქართული|kg kon|ki kik|kj kua|kk kaz - Қазақша|kl kal|km khm - ខ្មែរ|kn kan - ಕನ್ನಡ
ko kor - 한국어|kr kau|ks kas|ku kur|kv kom|kw cor|ky kir|la lat - Latina|lb ltz - Lëtzebuergesch|lg lug|li lim
ln lin|lo lao|lt lit - Lietuvių|lu lub|lv lav - Latviešu|mg mlg|mh mah|mi mri mao Māori|mk mkd mac Македонски
ml mal - മലയാളം|mn mon - Монгол|mr mar - मराठी|ms msa may Bahasa Melayu|mt mlt - Malti|my mya bur မြန်မာ|na nau
nb nob - Norsk bokmål|nd nde|ne nep - नेपाली|ng ndo|nl nld dut Nederlands|nn nno - Nynorsk|no nor - Norsk|nr nbl
nv nav|ny nya|oc oci|oj oji|om orm|or ori|os oss|pa pan - ਪੰਜਾਬੀ|pi pli|pl pol - Polski|ps pus|pt por - Português
qu que|rm roh - Rumantsch|rn run|ro ron rum Română|ru rus - Русский|rw kin|sa san|sc srd|sd snd|se sme|sg sag
si sin - සිංහල|sk slk slo Slovenčina|sl slv - Slovenščina|sm smo|sn sna|so som|sq sqi alb Shqip|sr srp - Српски|ss ssw
st sot|su sun|sv swe - Svenska|sw swa - Kiswahili|ta tam - தமிழ்|te tel - తెలుగు|tg tgk|th tha - ไทย|ti tir|tk tuk
tl tgl - Tagalog|tn tsn|to ton|tr tur - Türkçe|ts tso|tt tat|tw twi|ty tah|ug uig|uk ukr - Українська
ur urd - اردو|uz uzb|ve ven|vi vie - Tiếng Việt|vo vol|wa wln|wo wol|xh xho|yi yid|yo yor|za zha
zh zho chi 中文|zu zul - isiZulu
"""
_ROWS = [[*row.split(" ", 3), "-", ""][:4] for row in re.split(r"[|\n]", _TABLE.strip())]
_TERMINOLOGICAL = {short: three for short, three, _, _ in _ROWS}
_SHORTEST = {code: short for short, three, other, _ in _ROWS for code in (three, other) if code != "-"}
_NAMES = {short: name for short, _, _, name in _ROWS if name}

_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def language_tag(code: str) -> str:
    """BCP 47 from what a file says: `eng`, `ger`, `pt_BR` become `en`, `de`, `pt-BR`; nonsense becomes `und`.

    BCP 47 wants the shortest code of a language (RFC 5646, 2.2.1).
    """
    tag = code.strip().replace("_", "-")
    if not _TAG.fullmatch(tag):
        return UNDETERMINED
    primary, *rest = tag.split("-")
    primary = primary.lower()
    return "-".join([_SHORTEST.get(primary, primary), *rest])


def iso639_2(tag: str) -> str:
    """The three letters that `mdhd` has room for (ISO 639-2/T); `und` where there are none."""
    primary = tag.split("-")[0].lower()
    three = _TERMINOLOGICAL.get(primary, primary)
    return three if re.fullmatch("[a-z]{3}", three) else UNDETERMINED


def language_name(tag: str) -> str:
    """The language in its own words: `Deutsch`, `Português (BR)`; the tag itself where we know no name."""
    primary, *rest = tag.split("-")
    name = _NAMES.get(primary.lower(), primary)
    return f"{name} ({'-'.join(rest)})" if rest else name
