// What the evaluation says of each class.

const MEANING =
  "Accuracy: in how many of a class's samples the judge finds it. Distance: Frechet distance to " +
  "the real images of the class. ";

/** A heading, a table for each level that was evaluated, and how that was done; nothing where it
 * was not. chosen: the class by level that is marked. */
function classTables(model, chosen) {
  const figures = model.classes;
  if (!figures) return [];
  const known = ({ name }) => ownOf(figures.accuracy, name) ?? ownOf(figures.distance, name);
  const tables = model.levels.filter(known).map((level) => {
    const rows = level.classes.map((name) => classRow(figures, level.name, name, chosen));
    const heads = ["accuracy", "distance"].map((text) =>
      element("th", { scope: "col", class: "figure", text }),
    );
    const head = element("tr", {}, element("th", { scope: "col", text: level.name }), ...heads);
    return element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows));
  });
  return [
    element("h2", { text: "Classes" }),
    element("div", { class: "tables" }, ...tables),
    element("p", { class: "soft", text: MEANING + figures.protocol }),
  ];
}

function classRow(figures, level, name, chosen) {
  const figure = (kind, format) => {
    const value = ownOf(ownOf(figures[kind], level), name);
    return element("td", { class: "figure", text: value?.toLocaleString("en", format) ?? "" });
  };
  return element(
    "tr",
    { class: chosen.get(level) === name && "asked" },
    element("th", { scope: "row", text: name }),
    figure("accuracy", { style: "percent" }),
    figure("distance", { minimumSignificantDigits: 3, maximumSignificantDigits: 3 }),
  );
}

/** An entry of an object that came as JSON; its names are of the data, and may be any. */
function ownOf(values, name) {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}
