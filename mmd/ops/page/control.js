// Halt, resume and flatten: confirmed, with the token, which is kept in this tab's session storage and nowhere else.

const KEY = "mmd-token";
const TEXTS = {
  halt: ["Halt", "Every quote is pulled and nothing new is sent until somebody resumes."],
  resume: ["Resume", "You take responsibility for whatever halted the daemon; it quotes again."],
  flatten: ["Flatten", "Every quote is pulled, and every position is closed by taking, which costs the spread and fees. It stays out afterwards."],
};

export class Control {
  constructor(buttons, dialog) {
    this.buttons = buttons;
    this.dialog = dialog;
    this.action = "";
    for (const button of buttons) button.addEventListener("click", () => this.ask(button.dataset.action));
    this.part("form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.send();
    });
    this.part("#confirm-no").addEventListener("click", () => dialog.close());
  }

  part(selector) {
    return this.dialog.querySelector(selector);
  }

  /** Whether the daemon takes orders by HTTP at all. */
  allow(isOn) {
    for (const button of this.buttons) {
      button.disabled = !isOn;
      button.title = isOn ? "" : "Control by HTTP is off: set http.token in the settings, or use mmd halt";
    }
  }

  ask(action) {
    this.action = action;
    const [title, text] = TEXTS[action];
    this.part("#confirm-title").textContent = `${title} the daemon?`;
    this.part("#confirm-text").textContent = text;
    this.part("#confirm-yes").textContent = title;
    this.part("#confirm-yes").classList.toggle("danger", action !== "resume");
    this.part("#confirm-error").textContent = "";
    this.part("#token").value = "";
    this.part("#token-line").hidden = sessionStorage.getItem(KEY) !== null;
    this.dialog.showModal();
  }

  async send() {
    const token = sessionStorage.getItem(KEY) ?? this.part("#token").value;
    const error = this.part("#confirm-error");
    error.textContent = "";
    let answer;
    try {
      answer = await fetch(`/api/control/${this.action}`, { method: "POST", headers: { Authorization: `Bearer ${token}` } });
    } catch {
      error.textContent = "The daemon does not answer: nothing was ordered.";
      return;
    }
    if (answer.ok) {
      sessionStorage.setItem(KEY, token);
      this.dialog.close();
      return;
    }
    if (answer.status === 403) {
      sessionStorage.removeItem(KEY);
      this.part("#token-line").hidden = false;
    }
    const reason = await answer.json().then((body) => body.error, () => `status ${answer.status}`);
    error.textContent = answer.status === 403 ? "Wrong token: nothing was ordered." : `Not done: ${reason}`;
  }
}
