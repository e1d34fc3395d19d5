"""`python -m bianmin`: the same as the command `bianmin`."""

from bianmin.cli import main

if __name__ == "__main__":
    main(prog_name="bianmin")
