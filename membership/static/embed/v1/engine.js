// Which appeal a reader is shown, decided in their own browser: functions of values, without a page and without a clock,
// so that a million readings can be tried beforehand. The server puts this file before all others.
//
// An appeal is one of the list in config.json, moments are seconds since 1970. A `place` is where it would stand:
// { language, section, tags, isSensitive, regions }. A `memory` is what this browser keeps, and nobody else ever sees:
// { seed, seen: [[moment, appeal], ...], quiet, patron }, the last two moments until which nothing is shown.

const DAY = 86400;
const HELD_OUT = "-";
const MOST_REMEMBERED = 50;

// A number from 0 to 1, the same for the same words: FNV-1a, then mixed as MurmurHash3 ends, so that readers with
// neighbouring seeds are far apart.
function drawn(words) {
  let hash = 0x811c9dc5;
  for (const letter of words) hash = Math.imul(hash ^ letter.codePointAt(0), 0x01000193);
  for (const [shift, factor] of [[16, 0x85ebca6b], [13, 0xc2b2ae35], [16, 1]]) {
    hash = Math.imul(hash ^ (hash >>> shift), factor);
  }
  return (hash >>> 0) / 2 ** 32;
}

function meet(some, others) {
  return some.some((one) => others.includes(one));
}

// Why this appeal is not for this reader in this place now, in one word for staff; null where it is.
function against(appeal, place, memory, now) {
  const seen = memory.seen.map(([at]) => at);
  const reasons = {
    "not-begun": now < appeal.starts,
    over: appeal.ends !== null && now >= appeal.ends,
    language: !appeal.languages.includes(place.language),
    section: appeal.sections.length > 0 && !appeal.sections.includes(place.section),
    tags: appeal.tags.length > 0 && !meet(appeal.tags, place.tags),
    "not-tags": meet(appeal.not_tags, place.tags),
    sensitive: place.isSensitive && !appeal.on_sensitive,
    country: appeal.countries.length > 0 && !meet(appeal.countries, place.regions),
    patron: memory.patron > now,
    closed: memory.quiet > now,
    enough: seen.filter((at) => at > now - appeal.days * DAY).length >= appeal.views,
    "too-soon": seen.some((at) => at > now - appeal.apart * DAY),
  };
  return Object.keys(reasons).find((reason) => reasons[reason]) ?? null;
}

// Which variant these readers see, the same ones each time; HELD_OUT where they are of those who see none. Whoever is
// held out of one appeal is held out of all with so large a share, so that what appeals do altogether can be told.
function variantFor(appeal, seed) {
  if (drawn(`held out:${seed}`) < appeal.holdout / 100) return HELD_OUT;
  const whole = appeal.variants.reduce((sum, { weight }) => sum + weight, 0);
  let left = drawn(`${appeal.id}:${seed}`) * whole;
  return (appeal.variants.find(({ weight }) => (left -= weight) < 0) ?? appeal.variants.at(-1)).id;
}

// { appeal, variant, why }: the first of the list that nothing speaks against, or null twice; `why` is [appeal, reason]
// of those that were passed over.
function decide(list, place, memory, now) {
  const why = [];
  for (const appeal of list) {
    const reason = against(appeal, place, memory, now);
    if (reason === null) return { appeal, variant: variantFor(appeal, memory.seed), why };
    why.push([appeal.id, reason]);
  }
  return { appeal: null, variant: null, why };
}

// The memory after a reader saw an appeal, or was where they would have seen it: both count, so that the two groups
// are asked, and not asked, equally often.
function remembering(memory, appeal, now) {
  return { ...memory, seen: [...memory.seen, [now, appeal.id]].slice(-MOST_REMEMBERED) };
}
