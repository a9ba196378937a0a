// The part of a server's page that makes a visitor's picture in another class of its order, such as an age.

function buildAgeing(engine) {
  const file = $("age-file"), to = $("age-to"), from = $("age-from"), steps = $("age-steps"), said = $("age-status");
  const titles = model.classes.map((name) => element("option", { value: name }, name));
  to.append(...titles);
  from.append(element("option", { value: "" }, "Not said"), ...titles.map((one) => one.cloneNode(true)));
  to.selectedIndex = model.classes.length - 1;

  const age = latest(async () => {
    const [picture] = file.files;
    if (!picture) return;
    said.textContent = "Computing ...";
    try {
      const shown = await createImageBitmap(picture), sheet = element("canvas", { width: shown.width, height: shown.height });
      sheet.getContext("2d").drawImage(shown, 0, 0);
      paint($("age-source"), { width: shown.width, height: shown.height, data: sheet.getContext("2d").getImageData(0, 0, shown.width, shown.height).data });
      const made = await engine.age({ picture, to: to.value, from: from.value, iterations: from.value ? Number(steps.value) : 0 });
      paint($("age-result"), made.picture);
      said.textContent = `${to.value}, by the ${made.fit}.`;
      window.aged = { ...made, to: to.value };
    } catch (error) {
      said.textContent = `It went wrong: ${error.message}`;
    }
  });
  for (const control of [file, to, from, steps]) control.addEventListener("change", age);
  $("ageing").addEventListener("submit", (event) => event.preventDefault());
}
