package io.textmill.input;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;
import java.nio.ByteBuffer;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.UUID;

/**
 * Values that are no strings, as strings: the same whatever format they come from. Fractions are written as Python's repr
 * does, dates and times as its str, for that is what stands in the CSV and JSON files that people write with it.
 */
final class Values {
    private static final int MOST_DIGITS = 17;

    private Values() {}

    /** A number of JSON that is no integer; as it stands where a double can't hold it. */
    static String ofJson(String number) {
        double value = Double.parseDouble(number);
        if (Double.isInfinite(value) || new BigDecimal(number).compareTo(shortest(value)) != 0) {
            return number;
        }
        return of(value);
    }

    /** The shortest decimal fraction that is this double; null for what is no number. */
    static String of(double value) {
        if (Double.isNaN(value)) {
            return null;
        }
        if (Double.isInfinite(value)) {
            return value > 0 ? "inf" : "-inf";
        }
        return value == 0 ? 1 / value < 0 ? "-0.0" : "0.0" : written(shortest(value));
    }

    /** The same of a single-precision number. */
    static String of(float value) {
        if (Float.isNaN(value) || Float.isInfinite(value) || value == 0) {
            return of((double) value);
        }
        BigDecimal exact = new BigDecimal(value);
        int digits = 1;
        while (exact.round(new MathContext(digits)).floatValue() != value) {
            digits++;
        }
        return written(exact.round(new MathContext(digits)));
    }

    private static BigDecimal shortest(double value) {
        BigDecimal exact = new BigDecimal(value);
        for (int digits = 1; digits < MOST_DIGITS; digits++) {
            // At a power of two the doubles below are nearer than those above: the nearest decimal may miss where the next fits.
            for (RoundingMode mode : new RoundingMode[] {RoundingMode.HALF_EVEN, RoundingMode.UP}) {
                BigDecimal rounded = exact.round(new MathContext(digits, mode));
                if (rounded.doubleValue() == value) {
                    return rounded;
                }
            }
        }
        return exact.round(new MathContext(MOST_DIGITS));
    }

    private static String written(BigDecimal number) {
        BigDecimal bare = number.stripTrailingZeros();
        int exponent = bare.precision() - bare.scale() - 1;
        if (exponent >= -4 && exponent < 16) {
            return bare.scale() > 0 ? bare.toPlainString() : bare.toPlainString() + ".0";
        }
        String digits = bare.unscaledValue().abs().toString();
        String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
        String sign = bare.signum() < 0 ? "-" : "";
        String power = String.format(exponent < 0 ? "e-%02d" : "e+%02d", Math.abs(exponent));
        return sign + digits.charAt(0) + fraction + power;
    }

    /** Days since 1970-01-01. */
    static String date(int days) {
        return LocalDate.ofEpochDay(days).toString();
    }

    /** Units since the beginning of 1970; a second has {@code perSecond} of them. */
    static String moment(long units, long perSecond) {
        int nanos = (int) (Math.floorMod(units, perSecond) * (1_000_000_000 / perSecond));
        LocalDateTime moment = LocalDateTime.ofEpochSecond(Math.floorDiv(units, perSecond), nanos, ZoneOffset.UTC);
        return moment.toLocalDate() + " " + time(moment.toLocalTime());
    }

    /** Units since midnight. */
    static String timeOfDay(long units, long perSecond) {
        return time(LocalTime.ofNanoOfDay(units * (1_000_000_000 / perSecond)));
    }

    private static String time(LocalTime time) {
        String whole = String.format("%02d:%02d:%02d", time.getHour(), time.getMinute(), time.getSecond());
        if (time.getNano() == 0) {
            return whole;
        }
        return whole + (time.getNano() % 1000 == 0
                ? String.format(".%06d", time.getNano() / 1000)
                : String.format(".%09d", time.getNano()));
    }

    static String uuid(byte[] bytes) {
        ByteBuffer buffer = ByteBuffer.wrap(bytes);
        return new UUID(buffer.getLong(), buffer.getLong()).toString();
    }
}
