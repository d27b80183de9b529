"""The program that spark-submit starts: textmill's command line."""

from pipelines.cli import main

if __name__ == "__main__":
    main()
