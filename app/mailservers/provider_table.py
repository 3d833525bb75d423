"""The built-in table of mail providers: public facts of 2026, each mail domain by its full name."""

from typing import Final

from app.mailservers.provider import Credential, Provider


def N_(message: str) -> str:  # noqa: N802 - the usual marker for texts that are translated later
    """Mark a text for translation without translating it here."""
    return message


def _under(name: str, endings: str) -> frozenset[str]:
    """Full domain names from a list: a pattern like yahoo.* would let anybody register one."""
    return frozenset(f"{name}.{ending}" for ending in endings.split())


_OUTLOOK = _under(
    "outlook",
    "com at be cl cz de dk es fr hu ie in it jp kr lv my ph pt sa sg sk co.id co.il co.th com.ar "
    "com.au com.br com.gr com.tr com.vn",
)
_HOTMAIL = _under(
    "hotmail",
    "com be ca cl cz de dk es fi fr gr hu it lt lv my nl no ph rs se sg sk co.id co.il co.in co.jp "
    "co.kr co.th co.uk co.za com.ar com.au com.br com.hk com.tr com.tw com.vn",
)
_LIVE = _under(
    "live",
    "com at be ca cl cn de dk fi fr hk ie in it jp nl no ru se co.jp co.kr co.uk co.za com.ar "
    "com.au com.mx com.my com.ph com.pt com.sg",
)
_YAHOO = _under("yahoo", "com de it fr es se co.in co.uk co.nz com.au com.ar com.br com.mx")
_AOL = _under("aol", "com de it fr es se co.uk co.nz com.au com.ar com.br com.mx")
_GMX_NET = _under("gmx", "net de at ch eu biz org info")
_GMX_COM = _under(
    "gmx",
    "com tm us co.uk es fr ca cn co.in com.br com.my hk ie ph pt ru se sg tw com.tr it li",
)

_APP_PASSWORD_WHY = N_(
    "This provider does not accept your usual password from other programs. "
    "Make an app password on its page and enter it here."
)
_OAUTH_WHY = N_("This provider only lets you sign in on its own page.")
_SWITCH_ON_WHY = N_(
    "Switch on IMAP access in the settings of your mailbox first; then your password works here."
)
_ZOHO_WHY = N_(
    "Switch on IMAP access in the settings of your mailbox first. "
    "With two-step sign-in you also need an app password."
)

PROVIDERS: Final[tuple[Provider, ...]] = (
    Provider(
        key="google",
        name="Google",
        domains=frozenset({"gmail.com", "googlemail.com"}),
        mx_suffixes=("l.google.com", "smtp.google.com"),
        imap_host="imap.gmail.com",
        smtp_host="smtp.gmail.com",
        smtp_port=465,
        credential=Credential.APP_PASSWORD,
        why=_APP_PASSWORD_WHY,
        help_url="https://support.google.com/accounts/answer/185833",
    ),
    Provider(
        key="microsoft-personal",
        name="Outlook.com",
        domains=_OUTLOOK | _HOTMAIL | _LIVE | {"msn.com", "windowslive.com", "livemail.tw"},
        imap_host="outlook.office365.com",
        smtp_host="smtp-mail.outlook.com",
        smtp_port=587,
        credential=Credential.OAUTH_ONLY,
        why=_OAUTH_WHY,
        help_url=(
            "https://support.office.com/article/"
            "pop-imap-and-smtp-settings-for-outlook-com-d088b986-291d-42b8-9564-9c414e2aa040"
        ),
    ),
    Provider(
        key="microsoft-365",
        name="Microsoft 365",
        domains=frozenset(),
        mx_suffixes=("protection.outlook.com",),
        imap_host="outlook.office365.com",
        smtp_host="smtp.office365.com",
        smtp_port=587,
        credential=Credential.OAUTH_ONLY,
        why=_OAUTH_WHY,
        help_url=(
            "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/"
            "deprecation-of-basic-authentication-exchange-online"
        ),
    ),
    Provider(
        key="yahoo",
        name="Yahoo",
        domains=_YAHOO | {"ymail.com", "myyahoo.com", "rocketmail.com"},
        imap_host="imap.mail.yahoo.com",
        smtp_host="smtp.mail.yahoo.com",
        smtp_port=465,
        credential=Credential.APP_PASSWORD,
        why=_APP_PASSWORD_WHY,
        help_url="https://help.yahoo.com/kb/SLN15241.html",
    ),
    Provider(
        key="aol",
        name="AOL",
        domains=_AOL | {"aim.com"},
        imap_host="imap.aol.com",
        smtp_host="smtp.aol.com",
        smtp_port=465,
        credential=Credential.APP_PASSWORD,
        why=_APP_PASSWORD_WHY,
        help_url="https://help.aol.com/articles/Create-and-manage-app-password",
    ),
    Provider(
        key="icloud",
        name="iCloud",
        domains=frozenset({"icloud.com", "me.com", "mac.com"}),
        imap_host="imap.mail.me.com",
        smtp_host="smtp.mail.me.com",
        smtp_port=587,
        credential=Credential.APP_PASSWORD,
        why=_APP_PASSWORD_WHY,
        help_url="https://support.apple.com/102654",
        username_form="local-part",
    ),
    Provider(
        key="fastmail",
        name="Fastmail",
        domains=frozenset({"fastmail.com"}),
        mx_suffixes=("messagingengine.com",),
        imap_host="imap.fastmail.com",
        smtp_host="smtp.fastmail.com",
        smtp_port=465,
        credential=Credential.APP_PASSWORD,
        why=_APP_PASSWORD_WHY,
        help_url="https://www.fastmail.help/hc/en-us/articles/360058752854",
    ),
    Provider(
        key="gmx",
        name="GMX",
        domains=_GMX_NET | {"mein.gmx", "mail.gmx", "email.gmx"},
        imap_host="imap.gmx.net",
        smtp_host="mail.gmx.net",
        smtp_port=465,
        credential=Credential.PASSWORD,
        why=_SWITCH_ON_WHY,
        help_url="https://hilfe.gmx.net/pop-imap/einschalten.html",
    ),
    Provider(
        key="gmx-com",
        name="GMX",
        domains=_GMX_COM,
        imap_host="imap.gmx.com",
        smtp_host="mail.gmx.com",
        smtp_port=465,
        credential=Credential.PASSWORD,
        why=_SWITCH_ON_WHY,
        help_url="https://support.gmx.com/pop-imap/toggle.html",
    ),
    Provider(
        key="web-de",
        name="WEB.DE",
        domains=frozenset({"web.de"}),
        imap_host="imap.web.de",
        smtp_host="smtp.web.de",
        smtp_port=465,
        credential=Credential.PASSWORD,
        why=_SWITCH_ON_WHY,
        help_url="https://hilfe.web.de/pop-imap/einschalten.html",
        username_form="local-part",
    ),
    Provider(
        key="zoho",
        name="Zoho",
        domains=frozenset({"zoho.com"}),
        imap_host="imap.zoho.com",
        smtp_host="smtp.zoho.com",
        smtp_port=465,
        credential=Credential.PASSWORD,
        why=_ZOHO_WHY,
        help_url="https://www.zoho.com/mail/help/imap-access.html",
    ),
    Provider(
        key="zoho-eu",
        name="Zoho",
        domains=frozenset({"zoho.eu"}),
        imap_host="imap.zoho.eu",
        smtp_host="smtp.zoho.eu",
        smtp_port=465,
        credential=Credential.PASSWORD,
        why=_ZOHO_WHY,
        help_url="https://www.zoho.com/mail/help/imap-access.html",
    ),
)
