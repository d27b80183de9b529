"""The classifiers, each described once as a list of layers, and the engines that train them."""
