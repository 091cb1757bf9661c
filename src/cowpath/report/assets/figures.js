/* Draws the figures of a page, in the page's colours. */
"use strict";
(async () => {
  const {figures} = JSON.parse(document.getElementById("data").textContent);
  const style = getComputedStyle(document.documentElement);
  const [text, dim, line] = ["--text", "--dim", "--line"].map((each) => style.getPropertyValue(each).trim());
  for (const [element, figure] of Object.entries(figures)) {
    const [views] = await Bokeh.embed.embed_items({[element]: figure.doc}, [{docid: element, roots: {[figure.root]: element}, root_ids: [figure.root]}]);
    for (const model of views.roots[0].model.references()) {
      if (model.type.endsWith("Axis"))
        model.setv({axis_label_text_color: text, major_label_text_color: text, axis_line_color: dim, major_tick_line_color: dim, minor_tick_line_color: model.minor_tick_line_color && line});
      else if (model.type === "Grid") model.setv({grid_line_color: line});
      else if (model.type === "Legend") model.setv({label_text_color: text});
    }
  }
  document.body.dataset.drawn = "yes";
})();
