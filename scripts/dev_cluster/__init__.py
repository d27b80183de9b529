"""YARN and HDFS as separate processes on one machine; scripts/dev_cluster.sh is the command. Standard library only."""
