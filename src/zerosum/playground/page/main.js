const app = new App();
window.ready = true;
