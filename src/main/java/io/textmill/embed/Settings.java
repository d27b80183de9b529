package io.textmill.embed;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.Serializable;

/** The parameters of a text.embed step, as its JSON names them. */
final class Settings implements Serializable {
    /** Numbers per vector. */
    final int size;
    /** Tokens to each side that are a token's context; 0 stands for the whole row. */
    final int window;
    final int epochs;
    final int negative;
    final double sample;
    final float rate;
    final double xMax;
    /** Tokens that are rarer get no vector of their own. */
    final long minCount;
    final long partitionTokens;
    final long seed;

    Settings(String json) throws IOException {
        JsonNode given = new ObjectMapper().readTree(json);
        size = given.path("size").asInt();
        window = given.path("window").asInt();
        epochs = given.path("epochs").asInt();
        negative = given.path("negative").asInt();
        sample = given.path("sample").asDouble();
        rate = (float) given.path("learning_rate").asDouble();
        xMax = given.path("x_max").asDouble();
        minCount = given.path("min_count").asLong();
        partitionTokens = given.path("partition_tokens").asLong();
        seed = given.path("seed").asLong();
    }
}
