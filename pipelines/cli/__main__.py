"""`python -m pipelines.cli`, the same as `textmill`."""

from pipelines.cli import main

if __name__ == "__main__":
    main()
