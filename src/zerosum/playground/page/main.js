const app = new App();
