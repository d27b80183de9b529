"""The command line as an application of YARN; scripts/submit.sh is the command."""
