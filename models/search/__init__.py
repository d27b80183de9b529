"""Searches: TF-IDF and a classifier of scikit-learn's, many parameters of them, on the tokens themselves."""
