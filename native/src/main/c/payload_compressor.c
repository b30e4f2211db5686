#include "payload_compressor.h"
#include "compression_dictionary.h"

#include <stdbool.h>
#include <string.h>

/* Of the format: the shortest match, how far back one may be, and the bytes at the end of a page that are part of none. */
#define MATCH_MIN 4
#define DISTANCE_MAX 65535
#define LITERALS_AT_END 5
/* No match begins so near to the end. The format asks for 12; with 16 whoever copies in steps stays within the page. */
#define SEARCH_END 16
#define STEP_BYTES 16
/* Lengths below this fit into a token. */
#define TOKEN_MAX 15
/* After so many places without a match, each step of the search grows by one: what does not compress is not dwelt on. */
#define SEARCH_PATIENCE 64

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* What a page is compressed from. */
struct input {
    const struct compression_dictionary *dictionary; /* NULL: none */
    const uint8_t *page;
    const uint8_t *end;
};

/* Bytes of the page that were seen before. */
struct match {
    const uint8_t *at;
    const uint8_t *before;       /* in the page or in the dictionary */
    const uint8_t *before_first; /* where that begins */
    const uint8_t *end;          /* behind the last byte of the page that may be part of it */
    uint32_t distance;
};

struct output {
    uint8_t *next;
    const uint8_t *end;
};

ALWAYS_INLINE uint32_t load32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

ALWAYS_INLINE uint64_t load64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

/* ---- hashes: the upper bits are the good ones; both read eight bytes ---- */

#define HASH_FACTOR 0x9e3779b97f4a7c15u

/* Of five bytes. */
ALWAYS_INLINE uint64_t page_hash(const uint8_t *bytes)
{
    return (load64(bytes) << 24) * HASH_FACTOR;
}

/* Of six: shorter matches with the dictionary take longer to decode than they are worth. */
ALWAYS_INLINE uint64_t dictionary_hash(const uint8_t *bytes)
{
    return (load64(bytes) << 16) * HASH_FACTOR;
}

ALWAYS_INLINE uint16_t *page_place(struct page_table *table, uint64_t hash)
{
    return &table->places[hash >> (64 - PAGE_TABLE_SHIFT)];
}

ALWAYS_INLINE uint32_t index_position(uint64_t hash)
{
    return (uint32_t)(hash >> (64 - DICTIONARY_INDEX_SHIFT));
}

/* The bits of the hash behind those of the position. */
ALWAYS_INLINE uint16_t index_tag(uint64_t hash)
{
    return (uint16_t)(hash >> (48 - DICTIONARY_INDEX_SHIFT));
}

void dictionary_index_fill(struct dictionary_index *index, const uint8_t *content, uint32_t length)
{
    memset(index, 0, sizeof *index);
    for (uint32_t place = 0; place + sizeof(uint64_t) <= length; place++) {
        uint64_t hash = dictionary_hash(content + place);
        index->entries[index_position(hash)] = place << 16 | index_tag(hash);
    }
}

/* ---- matches ---- */

ALWAYS_INLINE struct match match_in_page(const struct input *in, const uint8_t *at, const uint8_t *before)
{
    return (struct match){at, before, in->page, in->end - LITERALS_AT_END, (uint32_t)(at - before)};
}

/* A match with what a place of the dictionary holds. False: it is something else, or too far back. */
ALWAYS_INLINE bool match_in_dictionary(const struct input *in, const uint8_t *at, uint32_t place, struct match *match)
{
    uint32_t left = (uint32_t)in->dictionary->length - place;
    uint32_t distance = (uint32_t)(at - in->page) + left;
    const uint8_t *before = in->dictionary->content + place;
    if (distance > DISTANCE_MAX || load32(before) != load32(at))
        return false;
    const uint8_t *end = in->end - LITERALS_AT_END;
    *match = (struct match){at, before, in->dictionary->content, left < end - at ? at + left : end, distance};
    return true;
}

/* Finds the next match from a place on; false: there is none. */
ALWAYS_INLINE bool find_match(
    const struct input *in, struct page_table *table, bool against, const uint8_t *from, struct match *match)
{
    const uint8_t *search_end = in->end - SEARCH_END;
    const uint8_t *at = from;
    uint64_t hash = page_hash(at);
    for (uint32_t tries = SEARCH_PATIENCE;; tries++) {
        const uint8_t *next = at + tries / SEARCH_PATIENCE;
        if (next > search_end)
            return false;
        uint16_t *place = page_place(table, hash);
        const uint8_t *before = in->page + *place;
        *place = (uint16_t)(at - in->page);
        uint64_t other = dictionary_hash(at);
        uint32_t entry = against ? in->dictionary->index.entries[index_position(other)] : 0;
        bool in_page = load32(before) == load32(at);
        bool may_be_in_dictionary = against && (uint16_t)entry == index_tag(other);
        hash = page_hash(next);
        if (in_page | may_be_in_dictionary) { /* one branch: most places are neither */
            if (in_page) {
                *match = match_in_page(in, at, before);
                return true;
            }
            if (match_in_dictionary(in, at, entry >> 16, match))
                return true;
        }
        at = next;
    }
}

/* Takes in what is the same before the match, down to what is written already. */
ALWAYS_INLINE void extend_back(struct match *match, const uint8_t *written)
{
    while (match->at > written && match->before > match->before_first && match->at[-1] == match->before[-1]) {
        match->at--;
        match->before--;
    }
}

ALWAYS_INLINE uint32_t match_length(const struct match *match)
{
    const uint8_t *at = match->at + MATCH_MIN;
    const uint8_t *before = match->before + MATCH_MIN;
    for (; at + sizeof(uint64_t) <= match->end; at += sizeof(uint64_t), before += sizeof(uint64_t)) {
        uint64_t differ = load64(at) ^ load64(before);
        if (differ)
            return (uint32_t)(at - match->at) + (uint32_t)__builtin_ctzll(differ) / 8;
    }
    while (at < match->end && *at == *before) {
        at++;
        before++;
    }
    return (uint32_t)(at - match->at);
}

/* ---- the payload ---- */

/* For a sequence: token, lengths, distance, and literals in whole steps. */
ALWAYS_INLINE bool has_room(const struct output *out, uint32_t literals, uint32_t length)
{
    return (uint64_t)(out->end - out->next) >= literals + STEP_BYTES + literals / 255 + length / 255 + 6;
}

/* What of a length does not fit into a token. */
ALWAYS_INLINE void write_rest(struct output *out, uint32_t length)
{
    uint32_t rest = length - TOKEN_MAX;
    for (; rest >= 255; rest -= 255)
        *out->next++ = 255;
    *out->next++ = (uint8_t)rest;
}

/* Literals in front of a match: reads and writes up to a step more. */
ALWAYS_INLINE void write_literals(struct output *out, const uint8_t *from, uint32_t count)
{
    uint32_t done = 0;
    do
        memcpy(out->next + done, from + done, STEP_BYTES);
    while ((done += STEP_BYTES) < count);
    out->next += count;
}

ALWAYS_INLINE bool write_sequence(struct output *out, const uint8_t *literals, const struct match *match, uint32_t length)
{
    uint32_t count = (uint32_t)(match->at - literals);
    uint32_t rest = length - MATCH_MIN;
    if (!has_room(out, count, rest))
        return false;
    uint8_t *token = out->next++;
    *token = (uint8_t)((count < TOKEN_MAX ? count : TOKEN_MAX) << 4 | (rest < TOKEN_MAX ? rest : TOKEN_MAX));
    if (count >= TOKEN_MAX)
        write_rest(out, count);
    write_literals(out, literals, count);
    uint16_t distance = (uint16_t)match->distance;
    memcpy(out->next, &distance, sizeof distance);
    out->next += sizeof distance;
    if (rest >= TOKEN_MAX)
        write_rest(out, rest);
    return true;
}

static bool write_last_literals(struct output *out, const uint8_t *literals, uint32_t count)
{
    if (!has_room(out, count, 0))
        return false;
    *out->next++ = (uint8_t)((count < TOKEN_MAX ? count : TOKEN_MAX) << 4);
    if (count >= TOKEN_MAX)
        write_rest(out, count);
    memcpy(out->next, literals, count);
    out->next += count;
    return true;
}

/* against: whether there is a dictionary; a constant. */
ALWAYS_INLINE int compress(
    const struct input *in, struct page_table *table, bool against, uint8_t *payload, uint32_t capacity)
{
    struct output out = {payload, payload + capacity};
    const uint8_t *search_end = in->end - SEARCH_END;
    const uint8_t *written = in->page;
    const uint8_t *at = in->page + 1; /* the first byte is what an empty place of the table points to */
    struct match match;
    memset(table, 0, sizeof *table);
    while (at <= search_end && find_match(in, table, against, at, &match)) {
        extend_back(&match, written);
        uint32_t length = match_length(&match);
        if (!write_sequence(&out, written, &match, length))
            return 0;
        at = written = match.at + length;
        if (at <= search_end)
            *page_place(table, page_hash(at - 2)) = (uint16_t)(at - 2 - in->page);
    }
    if (!write_last_literals(&out, written, (uint32_t)(in->end - written)))
        return 0;
    return (int)(out.next - payload);
}

int payload_compress(const struct compression_dictionary *dictionary, struct page_table *table, const uint8_t *page,
    uint32_t page_bytes, uint8_t *payload, uint32_t capacity)
{
    if (page_bytes > 1u << 16) /* places have 16 bits */
        return 0;
    struct input in = {dictionary, page, page + page_bytes};
    /* What is shorter than a hash is in no index, and an empty entry points to the first bytes. */
    bool against = dictionary && dictionary->length >= sizeof(uint64_t);
    return against ? compress(&in, table, true, payload, capacity) : compress(&in, table, false, payload, capacity);
}
