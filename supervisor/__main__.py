"""``python -m supervisor``: the ``penstock`` command; ``penstock up --detach`` starts itself so."""

from supervisor.cli import main

if __name__ == "__main__":
    main()
