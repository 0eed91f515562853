"""How a browser is called in a list: enough for somebody to know their own devices apart."""

BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)


def named(client: str) -> str:
    """`Firefox on Linux` for the name that a browser gave itself."""
    browser = next((name for mark, name in BROWSERS if mark in client), "A browser")
    system = next((name for mark, name in SYSTEMS if mark in client), None)
    return f"{browser} on {system}" if system else browser
