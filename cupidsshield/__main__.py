"""`python -m cupidsshield`."""

from cupidsshield.cli import main

if __name__ == "__main__":
    main()
