"""The programs that start a rank of a training on every host of a cluster, each as the cluster's own tools want it."""
