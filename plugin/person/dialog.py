"""A plain window for desktops without zenity or kdialog.

Its arguments are KIND ("consent", "passphrase" or "message"), TEXT, YES and NO.

Exit status 0 is yes, 1 is no (also when the window is closed), 2 means that it could not be shown.
"""

import sys


def main(arguments: list[str]) -> int:
    """Show the window; for kind "passphrase" print what was typed."""
    kind, text, yes, no = arguments
    try:
        import tkinter
    except ImportError:
        return 2
    try:
        window = tkinter.Tk()
    except tkinter.TclError:
        return 2
    window.title("Handfast")
    typed = tkinter.StringVar(window)
    status = [1]

    def answer(code: int) -> None:
        status[0] = code
        window.destroy()

    tkinter.Label(window, text=text, justify="left", padx=24, pady=16).pack()
    if kind == "passphrase":
        entry = tkinter.Entry(window, textvariable=typed, show="*", width=40)
        entry.pack(padx=24)
        entry.focus_set()
    row = tkinter.Frame(window, padx=24, pady=16)
    row.pack(anchor="e")
    if no:
        tkinter.Button(row, text=no, command=lambda: answer(1)).pack(side="left")
    allow = tkinter.Button(row, text=yes, command=lambda: answer(0), state="disabled")
    allow.pack(side="left", padx=(8, 0))
    # A click meant for something else must not fall on a button that has just appeared.
    window.after(1000, lambda: allow.configure(state="normal"))
    window.bind("<Escape>", lambda _event: answer(1))
    secret: list[str] = []
    typed.trace_add("write", lambda *_change: secret.__setitem__(slice(None), [typed.get()]))
    window.mainloop()
    if kind == "passphrase" and status[0] == 0:
        sys.stdout.write("".join(secret) + "\n")
    return status[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
