// The day begins where the person is.
document.querySelector("[name=time_zone]").value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
