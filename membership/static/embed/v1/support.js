// The goal, the open vote, the stories that members chose, and the badge of such a story.

class Goal extends Part {
  static part = "goal";
  static height = 140;

  draw({ href, now, wanted }, words) {
    const bar = make("progress", { max: wanted, value: Math.min(now, wanted), "aria-label": words.goal });
    return make(
      "section",
      { class: "box", "aria-label": words.label },
      make("p", {}, words.goal),
      bar,
      make("p", {}, link(`${href}?article=${encodeURIComponent(here())}`, words.link, { class: "do" })),
    );
  }
}

class Vote extends Part {
  static part = "poll";
  static height = 160;

  draw({ href, title, lang }, words) {
    return make(
      "section",
      { class: "box", "aria-label": words.label },
      make("p", { class: "small" }, words.label),
      make("h2", { lang }, title),
      make("p", {}, words.until),
      make("p", {}, link(href, words.link)),
    );
  }
}

class Stories extends Part {
  static part = "stories";
  static height = 160;

  draw({ href, list }, words) {
    const rows = list.map(({ url, title, lang }) => make("li", {}, link(url, title, { lang })));
    return make(
      "section",
      { class: "box", "aria-label": words.label },
      make("h2", {}, words.label),
      make("ul", {}, ...rows),
      make("p", { class: "small" }, link(href, words.link)),
    );
  }
}

class Badge extends Part {
  static part = "badge";
  static height = 24;

  draw({ stories }, words) {
    const topic = stories.find(([story]) => plain(story) === here());
    return topic && make("p", { class: "small" }, link(topic[1], words.label));
  }
}
