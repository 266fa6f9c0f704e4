for (const button of document.querySelectorAll("button.copy")) {
  const text = button.nextElementSibling;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: copy it";
    }
  });
}
const filter = document.querySelector("#clause");
if (filter) {
  filter.parentElement.hidden = false;
  filter.addEventListener("change", () => {
    for (const section of document.querySelectorAll("section[data-clauses]")) {
      section.hidden = filter.value && !section.dataset.clauses.split(" ").includes(filter.value);
    }
  });
}
